// stacks: keeps the processor busy below every kind of frame that is hard to unwind without frame pointers. Built without them and
// without a library, so that a capture with copied stacks shows nothing but this file:
//
// - small:      frames that hang on the stack pointer, some with saved registers
// - recursion:  more stack than a capture copies
// - realigned:  a frame of unknown size whose caller is found by an expression only
// - on_alarm:   a signal handler, on the stack of what it interrupted
//
// Every way ends in burn().

typedef unsigned char u8;
typedef unsigned long u64;

#define NOINLINE __attribute__((noinline, noclone))

static volatile u64 sink;

static long system_call(long number, long a, long b, long c, long d) {
    long result;
    register long r10 __asm__("r10") = d;
    __asm__ volatile("syscall" : "=a"(result) : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10) : "rcx", "r11", "memory");
    return result;
}

NOINLINE u64 burn(u64 rounds) {
    u64 sum = rounds;
    for (u64 i = 0; i < rounds; i++) sum = sum * 6364136223846793005UL + (sum >> 29);
    sink = sum;
    return sum;
}

// ---- frames on the stack pointer ----

NOINLINE u64 small_leaf(u64 n) { return burn(60000) + n; }

NOINLINE u64 small(u64 n) {
    u64 a = small_leaf(n), b = small_leaf(a & 7), c = small_leaf(b & 7);
    return a + b * 3 + c * 5 + n;
}

// ---- more stack than is copied ----

NOINLINE u64 recursion(u64 depth) {
    volatile u8 room[96];
    room[depth % 96] = (u8)depth;
    u64 below = depth == 0 ? burn(90000) : recursion(depth - 1);
    return below + room[depth % 96];
}

// ---- a frame that only an expression describes ----

NOINLINE u64 realigned(u64 n, u64 b, u64 c, u64 d, u64 e, u64 f, u64 on_stack) {
    u64 aligned[8] __attribute__((aligned(64)));
    u8 room[n];
    for (u64 i = 0; i < n; i++) room[i] = (u8)(i + b);
    for (u64 i = 0; i < 8; i++) aligned[i] = room[i % n] + c;
    __asm__ volatile("" ::"r"(aligned) : "memory");
    return burn(90000) + aligned[n % 8] + d + e + f + on_stack;
}

NOINLINE u64 call_realigned(u64 n) { return realigned(24 + n % 40, n, 2, 3, 4, 5, 6) + n; }

// ---- a signal handler ----

// What the kernel returns to from a handler. The rules are those of the C library: the registers lie in the kernel's frame.
void restorer(void);
__asm__(".text\n"
        ".cfi_startproc\n"
        ".cfi_signal_frame\n"
        ".cfi_escape 0x0f, 4, 0x77, 0xa0, 1, 6\n" // frame: *(rsp + 160)
        ".cfi_escape 0x10, 6, 3, 0x77, 0xf8, 0\n" // rbp: rsp + 120
        ".cfi_escape 0x10, 16, 3, 0x77, 0xa8, 1\n" // rip: rsp + 168
        "nop\n"
        ".globl restorer\n"
        ".type restorer, @function\n"
        "restorer:\n"
        "mov $15, %rax\n"
        "syscall\n"
        ".size restorer, . - restorer\n"
        ".cfi_endproc\n");

NOINLINE void in_handler(u64 n) { sink = burn(700000) + n; }

static void on_alarm(int number) { in_handler((u64)number); }

struct action {
    void (*handler)(int);
    u64 flags;
    void (*restorer)(void);
    u64 mask;
};

NOINLINE static void set_alarm(void) {
    struct action action = {on_alarm, 0x04000000 /* SA_RESTORER */, restorer, 0};
    u64 every[4] = {0, 4000, 0, 4000}; // microseconds
    system_call(13, 14 /* SIGALRM */, (long)&action, 0, 8);
    system_call(38, 0 /* real time */, (long)every, 0, 0);
}

NOINLINE int run(u64 rounds) {
    set_alarm();
    for (u64 i = 0; i < rounds; i++) sink = small(i) + recursion(60) + call_realigned(i);
    return (int)(sink & 1);
}

__asm__(".text\n"
        ".globl _start\n"
        ".type _start, @function\n"
        "_start:\n"
        ".cfi_startproc\n"
        ".cfi_undefined rip\n" // nobody called it
        "xor %ebp, %ebp\n"
        "mov $600, %edi\n"
        "call run\n"
        "mov $60, %edi\n"
        "xchg %eax, %edi\n"
        "syscall\n"
        "hlt\n"
        ".cfi_endproc\n");
