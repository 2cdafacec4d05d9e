// indexer: makes text from a fixed seed, splits it into words, counts them in a hash table, sorts the terms of each
// document, packs them and takes a checksum. It needs no library, so that a capture shows nothing but this file.
//
// -DAFTER plants one regression: hash_word spreads the words over a sixteenth of the slots, so that find_term walks
// much longer chains. Nothing else changes, and the checksum at the end is the same.

typedef unsigned char u8;
typedef unsigned int u32;
typedef unsigned long u64;

#define NOINLINE __attribute__((noinline))
#define INLINE static inline __attribute__((always_inline))
// gcc drops the frame of a function that calls nothing and keeps all its values in registers, in spite of
// -fno-omit-frame-pointer. Its caller would then be missing from the stacks. Asking for the frame's address keeps it.
#define KEEP_FRAME __asm__ volatile("" ::"r"(__builtin_frame_address(0)))

// ---- the system calls it needs ----

INLINE long system_call(long number, long a, long b, long c, long d, long e, long f) {
    long result;
    register long r10 __asm__("r10") = d;
    register long r8 __asm__("r8") = e;
    register long r9 __asm__("r9") = f;
    __asm__ volatile("syscall"
                     : "=a"(result)
                     : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
                     : "rcx", "r11", "memory");
    return result;
}

static void *map_memory(u64 bytes) {
    return (void *)system_call(9, 0, (long)bytes, 3 /* read, write */, 0x22 /* private, anonymous */, -1, 0);
}
static void unmap_memory(void *at, u64 bytes) { system_call(11, (long)at, (long)bytes, 0, 0, 0, 0); }

// ---- text ----

enum { VOCABULARY = 9000, WORDS_PER_DOCUMENT = 6000, MAX_WORD = 24 };

typedef struct {
    u8 letters[MAX_WORD];
    u32 length;
} Word;

static Word vocabulary[VOCABULARY];
static u64 random_state = 0x9e3779b97f4a7c15UL;

INLINE u32 next_random(void) {
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return (u32)(random_state >> 32);
}

static NOINLINE void make_vocabulary(void) {
    KEEP_FRAME;
    static const char consonants[] = "bcdfghklmnprstvz";
    static const char vowels[] = "aeiou";
    for (u32 i = 0; i < VOCABULARY; i++) {
        Word *word = &vocabulary[i];
        u32 syllables = 2 + next_random() % 4;
        for (u32 s = 0; s < syllables; s++) {
            word->letters[word->length++] = (u8)consonants[next_random() % 16];
            word->letters[word->length++] = (u8)vowels[next_random() % 5];
        }
    }
}

// Frequent words come first: the square of a random fraction picks the word.
static NOINLINE u32 write_text(u8 *text) {
    KEEP_FRAME;
    u32 at = 0;
    for (u32 i = 0; i < WORDS_PER_DOCUMENT; i++) {
        u64 fraction = next_random() & 0xffff;
        const Word *word = &vocabulary[(fraction * fraction * VOCABULARY) >> 32];
        for (u32 l = 0; l < word->length; l++) text[at++] = word->letters[l];
        if (next_random() % 10 == 0) text[at - word->length] -= 'a' - 'A';
        text[at++] = next_random() % 12 ? ' ' : '\n';
    }
    return at;
}

// ---- index ----

enum { SLOTS = 8192, MAX_TERMS = 2 * VOCABULARY };

typedef struct {
    u8 letters[MAX_WORD];
    u32 length;
    u32 count;
    u32 next; // term in the same chain, 0 = none
} Term;

static Term terms[MAX_TERMS];
static u32 term_count = 1; // term 0 means "none"
static u32 slots[SLOTS];

static NOINLINE u32 tokenise(u8 *text, u32 length, u32 *starts) {
    KEEP_FRAME;
    u32 words = 0;
    int inside = 0;
    for (u32 i = 0; i < length; i++) {
        u8 c = text[i];
        int letter = (c | 32) >= 'a' && (c | 32) <= 'z';
        if (letter && !inside) starts[words++] = i;
        inside = letter;
    }
    return words;
}

static NOINLINE u32 normalise(const u8 *text, u8 *letters) {
    KEEP_FRAME;
    u32 length = 0;
    while (length < MAX_WORD && (text[length] | 32) >= 'a' && (text[length] | 32) <= 'z') {
        letters[length] = text[length] | 32;
        length++;
    }
    return length;
}

static NOINLINE u32 hash_word(const u8 *letters, u32 length) {
    KEEP_FRAME;
#ifdef AFTER
    const u32 used_slots = SLOTS / 16;
#else
    const u32 used_slots = SLOTS;
#endif
    u32 hash = 2166136261u;
    for (u32 i = 0; i < length; i++) hash = (hash ^ letters[i]) * 16777619u;
    return hash % used_slots;
}

// The comparison stands here and not in a function of its own: the compiler would put that one in here, and readers of
// the debug information would then share the time of find_term out over two names.
static NOINLINE u32 find_term(const u8 *letters, u32 length, u32 slot) {
    KEEP_FRAME;
    for (u32 id = slots[slot]; id != 0; id = terms[id].next) {
        const Term *term = &terms[id];
        if (term->length != length) continue;
        u32 same = 0;
        while (same < length && term->letters[same] == letters[same]) same++;
        if (same == length) return id;
    }
    return 0;
}

static NOINLINE u32 add_term(const u8 *letters, u32 length, u32 slot) {
    KEEP_FRAME;
    u32 id = term_count++;
    Term *term = &terms[id];
    for (u32 i = 0; i < length; i++) term->letters[i] = letters[i];
    term->length = length;
    // A new term goes to the end of its chain, behind the frequent ones.
    u32 *link = &slots[slot];
    while (*link != 0) link = &terms[*link].next;
    *link = id;
    return id;
}

static NOINLINE void sift_down(u32 *heap, u32 root, u32 end) {
    KEEP_FRAME;
    for (u32 child; (child = 2 * root + 1) < end; root = child) {
        if (child + 1 < end && heap[child] < heap[child + 1]) child++;
        if (heap[root] >= heap[child]) return;
        u32 swap = heap[root];
        heap[root] = heap[child];
        heap[child] = swap;
    }
}

static NOINLINE void sort_terms(u32 *ids, u32 count) {
    KEEP_FRAME;
    for (u32 i = count / 2; i-- > 0;) sift_down(ids, i, count);
    for (u32 end = count; end-- > 1;) {
        u32 swap = ids[0];
        ids[0] = ids[end];
        ids[end] = swap;
        sift_down(ids, 0, end);
    }
}

// Differences between neighbours, seven bits a byte.
static NOINLINE u32 pack_terms(const u32 *ids, u32 count, u8 *out) {
    KEEP_FRAME;
    u32 at = 0, previous = 0;
    for (u32 i = 0; i < count; i++) {
        u32 rest = ids[i] - previous;
        previous = ids[i];
        for (; rest >= 128; rest >>= 7) out[at++] = (u8)(rest | 128);
        out[at++] = (u8)rest;
    }
    return at;
}

static NOINLINE u32 checksum(const u8 *bytes, u32 length, u32 start) {
    KEEP_FRAME;
    u32 low = start & 0xffff, high = start >> 16;
    for (u32 i = 0; i < length; i++) {
        low = (low + bytes[i]) % 65521;
        high = (high + low) % 65521;
    }
    return high << 16 | low;
}

static NOINLINE u32 count_words(const u8 *text, const u32 *starts, u32 words, u32 *ids) {
    u8 letters[MAX_WORD];
    for (u32 i = 0; i < words; i++) {
        u32 length = normalise(text + starts[i], letters);
        u32 slot = hash_word(letters, length);
        u32 id = find_term(letters, length, slot);
        if (id == 0) id = add_term(letters, length, slot);
        terms[id].count++;
        ids[i] = id;
    }
    return words;
}

static NOINLINE u32 index_document(u32 sum) {
    u64 bytes = WORDS_PER_DOCUMENT * (MAX_WORD + 1 + 3 * sizeof(u32));
    u8 *memory = map_memory(bytes);
    u32 *starts = (u32 *)memory;
    u32 *ids = starts + WORDS_PER_DOCUMENT;
    u8 *packed = (u8 *)(ids + WORDS_PER_DOCUMENT);
    u8 *text = packed + WORDS_PER_DOCUMENT * sizeof(u32);
    u32 length = write_text(text);
    u32 words = tokenise(text, length, starts);
    count_words(text, starts, words, ids);
    sort_terms(ids, words);
    u32 packed_bytes = pack_terms(ids, words, packed);
    sum = checksum(text, length, sum);
    sum = checksum(packed, packed_bytes, sum);
    unmap_memory(memory, bytes);
    return sum;
}

// Takes the number of documents from the first argument.
static NOINLINE int run(const char *documents) {
    u32 count = 0;
    for (; *documents >= '0' && *documents <= '9'; documents++) count = count * 10 + (u32)(*documents - '0');
    make_vocabulary();
    u32 sum = 1;
    for (u32 i = 0; i < count; i++) sum = index_document(sum);
    char line[9];
    for (u32 i = 0; i < 8; i++) line[i] = "0123456789abcdef"[sum >> (28 - 4 * i) & 15];
    line[8] = '\n';
    system_call(1, 1, (long)line, 9, 0, 0, 0);
    return 0;
}

int main(int argc, char **argv) { return run(argc > 1 ? argv[1] : "100"); }

// The kernel enters here with argc on the stack and argv above it. A zero frame pointer ends every stack.
__asm__(".globl _start\n.type _start, @function\n_start:\n"
        "  xor %ebp, %ebp\n  mov (%rsp), %rdi\n  lea 8(%rsp), %rsi\n  and $-16, %rsp\n"
        "  call main\n  mov %eax, %edi\n  mov $231, %eax\n  syscall\n.size _start, . - _start\n");
