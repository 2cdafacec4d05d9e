//! The grammar of single lines. Every function looks at one line only, so any thread can tell where a sample starts.
//!
//! A command name may hold blanks, digits, colons and brackets. So the time is found first, and what stands before it is read from
//! its right end. Start reading at [`head`] and [`frame`].

/// The first line of a sample.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Head<'a> {
    /// Command, ids, flags and processor as they stand; see [`who`].
    pub(super) who: &'a [u8],
    /// Nanoseconds, where the line has a time.
    pub(super) time: Option<i64>,
    /// Units of the event since the last sample, where printed.
    pub(super) period: Option<u64>,
    /// The event as perf names it; empty where not printed.
    pub(super) event: &'a [u8],
    /// What follows: trace text, a data address, or the only frame of a capture without call graphs.
    pub(super) rest: &'a [u8],
}

/// A line that starts something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Start<'a> {
    /// A sample.
    Sample(Head<'a>),
    /// A record that is no sample: what follows `PERF_RECORD_`.
    Record(&'a [u8]),
    /// User code for the samples of a thread that wait for it, as frames on the lines below: who, and the number that they wait for.
    Deferred(&'a [u8], u64),
}

/// A process or thread as the line names it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Who<'a> {
    pub(super) comm: &'a [u8],
    pub(super) pid: Option<i32>,
    pub(super) tid: Option<i32>,
    pub(super) cpu: Option<u32>,
    /// The letters of the field `misc`: K kernel, U user, H hypervisor, G and g guest. Empty where not printed.
    pub(super) misc: &'a [u8],
    /// Process of the virtual machine on the host (`VM:`).
    pub(super) machine_pid: Option<u32>,
    /// Virtual processor (`VCPU:`).
    pub(super) vcpu: Option<u32>,
}

/// One line of a call chain.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct RawFrame<'a> {
    pub(super) address: u64,
    /// Without the offset; `None` for `[unknown]`.
    pub(super) symbol: Option<&'a [u8]>,
    /// `None` where not printed or `[unknown]`.
    pub(super) module: Option<&'a [u8]>,
    pub(super) inlined: bool,
}

impl RawFrame<'_> {
    /// True for the mark that perf prints in the place of user code that a later line tells (`DEFERRED CALLCHAIN`).
    pub(super) fn is_cookie(&self) -> bool {
        self.symbol == Some(b"(cookie)") && self.module.is_none()
    }
}

/// Begins the names of records.
pub(super) const RECORD: &[u8] = b"PERF_RECORD_";

/// What a line starts, or `None` for a line inside a sample and for what is not perf's.
pub(super) fn start(line: &[u8]) -> Option<Start<'_>> {
    let first = *line.first()?;
    if first == b'\t' {
        return None;
    }
    if let Some(name) = line.strip_prefix(RECORD) {
        return Some(Start::Record(name));
    }
    timed(line).or_else(|| untimed(line))
}

/// Positions of the colons that end a word.
pub(super) fn colons(line: &[u8]) -> impl Iterator<Item = usize> {
    memchr::memchr_iter(b':', line).filter(|&at| line.get(at + 1).is_none_or(u8::is_ascii_whitespace))
}

/// A line with a time: the first `digits.digits:` that follows a thread id, else the first at all.
fn timed(line: &[u8]) -> Option<Start<'_>> {
    let mut without_id = None;
    for colon in colons(line) {
        let Some((begin, time)) = line.get(..colon).and_then(time_before) else { continue };
        let before = without_date(line.get(..begin)?.trim_ascii());
        let found = (before, time, line.get(colon + 1..)?);
        if who(before).tid.is_some() {
            return Some(after_time(found, b""));
        }
        without_id.get_or_insert(found);
    }
    // A line without an id has to name an event, so that no list of numbers (`0.5: x`) and no program (`if x == 0.5:`) is taken for samples.
    let start = without_id.map(|found| (found.0.is_empty(), after_time(found, b"")));
    let is_told = |(bare, start): &(bool, Start<'_>)| match start {
        Start::Sample(head) => !head.event.is_empty(),
        _ => !bare,
    };
    start.filter(is_told).map(|(_, start)| start)
}

/// True for a line with a time of six or nine decimals: `%5lu.%06lu`, or nanoseconds where asked for (perf's `builtin-script.c`).
pub(super) fn has_whole_time(line: &[u8]) -> bool {
    colons(line).any(|colon| {
        let time = line.get(..colon).and_then(|before| before.get(time_before(before)?.0..));
        let decimals = time.and_then(|time| Some(time.len() - memchr::memchr2(b'.', b',', time)? - 1));
        matches!(decimals, Some(6 | 9))
    })
}

/// What a line with a time consists of: what stands before, nanoseconds, what stands behind the colon.
pub(super) type Timed<'a> = (&'a [u8], i64, &'a [u8]);

/// The first `digits.digits:` of a line.
pub(super) fn first_time(line: &[u8]) -> Option<Timed<'_>> {
    colons(line).find_map(|colon| {
        let (begin, time) = line.get(..colon).and_then(time_before)?;
        Some((without_date(line.get(..begin)?.trim_ascii()), time, line.get(colon + 1..)?))
    })
}

/// A text without the date and the time of day at its end (`2026-11-23 03:51:25.000001`, field `tod`).
fn without_date(text: &[u8]) -> &[u8] {
    const DATE: &[u8] = b"0000-00-00 00:00:00.000000";
    let Some((before, date)) = text.len().checked_sub(DATE.len()).and_then(|at| text.split_at_checked(at)) else { return text };
    let same = |(&byte, &mark): (&u8, &u8)| if mark == b'0' { byte.is_ascii_digit() } else { byte == mark };
    if date.iter().zip(DATE).all(same) && before.last().is_none_or(u8::is_ascii_whitespace) { before.trim_ascii_end() } else { text }
}

/// Start and nanoseconds of the time that ends `text`. The decimal mark may be a comma (locales).
pub(super) fn time_before(text: &[u8]) -> Option<(usize, i64)> {
    usual_time(text).or_else(|| any_time(text))
}

fn any_time(text: &[u8]) -> Option<(usize, i64)> {
    let digits = |end: usize| text.get(..end).map_or(0, |text| text.iter().rev().take_while(|byte| byte.is_ascii_digit()).count());
    let fraction = digits(text.len());
    let mark = text.len().checked_sub(fraction + 1)?;
    if fraction == 0 || fraction > 9 || !matches!(text.get(mark), Some(b'.' | b',')) {
        return None;
    }
    let whole = digits(mark);
    let begin = mark - whole;
    let apart = begin == 0 || text.get(begin - 1).is_some_and(u8::is_ascii_whitespace);
    if whole == 0 || !apart {
        return None;
    }
    let seconds = i64::try_from(decimal(text.get(begin..mark)?)?).ok()?;
    // At most nine digits.
    let nanos = decimal(text.get(mark + 1..)?)? as i64 * 10_i64.pow(9 - fraction as u32);
    Some((begin, seconds.checked_mul(1_000_000_000)?.checked_add(nanos)?))
}

/// The same for seconds of at most seven digits with microseconds, eight bytes at a time; `None` for all others.
fn usual_time(text: &[u8]) -> Option<(usize, i64)> {
    const ZEROS: u64 = u64::from_ne_bytes([b'0'; 8]);
    // The highest bit of every byte that is no digit, for bytes from which `0` was taken.
    let others = |digits: u64| (((digits & 0x7f7f_7f7f_7f7f_7f7f) + 0x7676_7676_7676_7676) | digits) & 0x8080_8080_8080_8080;
    // Eight digits, the first one in the lowest byte: pairs of them, then pairs of those.
    let number = |digits: u64| {
        let pairs = (digits * 10 + (digits >> 8)) & 0x00ff_00ff_00ff_00ff;
        let fours = (pairs * 100 + (pairs >> 16)) & 0x0000_ffff_0000_ffff;
        (fours * 10_000 + (fours >> 32)) & 0xffff_ffff
    };
    let (before, [b'.', micros @ ..]) = text.split_last_chunk::<7>()? else { return None };
    let &[a, b, c, d, e, f] = micros;
    let micros = u64::from_le_bytes([b'0', b'0', a, b, c, d, e, f]) ^ ZEROS;
    let last = before.last_chunk::<8>()?;
    let seconds = u64::from_le_bytes(*last) ^ ZEROS;
    let digits = others(seconds).leading_zeros() / 8;
    if others(micros) != 0 || !(1..8).contains(&digits) {
        return None;
    }
    let begin = before.len() - digits as usize;
    let apart = before.get(..begin)?.last()?.is_ascii_whitespace();
    let rest = 64 - 8 * digits;
    let nanos = number(seconds >> rest << rest) * 1_000_000_000 + number(micros) * 1000;
    // At most 16 digits.
    apart.then_some((begin, nanos as i64))
}

/// What begins with a time; `last` is the event that most probably follows, or nothing.
pub(super) fn after_time<'a>((who, time, rest): Timed<'a>, last: &[u8]) -> Start<'a> {
    if rest.starts_with(b" \tmetric:") {
        return Start::Record(b"METRIC");
    }
    let rest = rest.trim_ascii_start();
    if let Some(name) = rest.strip_prefix(RECORD) {
        return Start::Record(name);
    }
    if let Some(cookie) = rest.strip_prefix(b"DEFERRED CALLCHAIN [cookie: ").and_then(cookie) {
        return Start::Deferred(who, cookie);
    }
    let head = |period, event, rest: &'a [u8]| Start::Sample(Head { who, time: Some(time), period, event, rest: rest.trim_ascii() });
    if let Some((period, event, rest)) = expected(rest, last) {
        return head(period, event, rest);
    }
    let (period, rest) = period(rest);
    let event = colons(rest).next().and_then(|colon| rest.split_at_checked(colon)).filter(|(event, _)| is_event(event));
    let (event, rest) = event.map_or((&[][..], rest), |(event, rest)| (event, rest.get(1..).unwrap_or(&[])));
    head(period, event, rest)
}

/// The hexadecimal number before a closing bracket.
fn cookie(text: &[u8]) -> Option<u64> {
    let digits = text.get(..memchr::memchr(b']', text)?)?;
    u64::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()
}

/// A period, where there is one, then that event, then what follows; `None` where something else stands there. The event may hold a colon, but none
/// before a blank.
fn expected<'a>(text: &'a [u8], event: &[u8]) -> Option<(Option<u64>, &'a [u8], &'a [u8])> {
    if event.is_empty() {
        return None;
    }
    let digits = text.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let after = text.get(digits..)?.trim_ascii_start();
    let period = if digits == 0 { None } else { Some(decimal(text.get(..digits)?)?) };
    let apart = digits == 0 || text.get(digits).is_some_and(u8::is_ascii_whitespace);
    let (name, rest) = after.split_at_checked(event.len()).filter(|(name, _)| apart && *name == event)?;
    let rest = rest.strip_prefix(b":").filter(|rest| rest.first().is_none_or(u8::is_ascii_whitespace))?;
    Some((period, name, rest))
}

/// The number that ends before a blank, and what follows it.
fn period(rest: &[u8]) -> (Option<u64>, &[u8]) {
    let end = rest.iter().position(|byte| !byte.is_ascii_digit()).unwrap_or(rest.len());
    let Some((digits, after)) = rest.split_at_checked(end).filter(|(digits, _)| !digits.is_empty()) else { return (None, rest) };
    // `1000 foo+0x1 (x)` is an address where events are not printed. After a period stands an event, or the blanks that pad an address.
    let follows = after.trim_ascii_start();
    let event = colons(follows).next().and_then(|colon| follows.get(..colon)).is_some_and(is_event);
    let padded = after.starts_with(b"  ") && address(follows).is_some();
    if event && after.first().is_some_and(u8::is_ascii_whitespace) || padded {
        (Some(decimal(digits).unwrap_or(u64::MAX)), follows)
    } else {
        (None, rest)
    }
}

/// True for the words with a colon that perf puts before lengths and bytes of instructions, and before instructions per cycle.
pub(super) fn is_field(word: &[u8]) -> bool {
    matches!(word, b"ilen" | b"insn" | b"IPC")
}

/// True for what can be an event's name; false for `ffffffff81000130 LazyCompile` and the like.
fn is_event(text: &[u8]) -> bool {
    let word = text.iter().position(u8::is_ascii_whitespace).map(|end| text.get(..end).unwrap_or(text));
    let last = text.rsplit(u8::is_ascii_whitespace).next();
    !text.is_empty() && word.is_none_or(|word| !word.iter().all(u8::is_ascii_hexdigit)) && !last.is_some_and(is_field)
}

/// A line without a time (old perf, or not asked for): command, id, perhaps a processor and a period, and a word with a colon.
fn untimed(line: &[u8]) -> Option<Start<'_>> {
    let colon = colons(line).next()?;
    let before = line.get(..colon)?;
    let blank = before.iter().rposition(u8::is_ascii_whitespace)?;
    let event = before.get(blank + 1..)?;
    let mut prefix = before.get(..blank)?.trim_ascii_end();
    if !event.first()?.is_ascii_alphabetic() {
        return None;
    }
    let mut period = None;
    if let Some((rest, number)) = last_word(prefix).filter(|(rest, word)| word.iter().all(u8::is_ascii_digit) && who(rest).tid.is_some()) {
        // Two numbers in a row: the second is a period, unless the first belongs to the command.
        if !rest.trim_ascii().is_empty() && last_word(rest).is_some_and(|(comm, _)| !comm.is_empty()) {
            period = decimal(number);
            prefix = rest;
        }
    }
    let found = who(prefix);
    if found.tid.is_none() || found.comm.is_empty() {
        return None;
    }
    Some(Start::Sample(Head {
        who: without_date(prefix.trim_ascii()),
        time: None,
        period,
        event,
        rest: line.get(colon + 1..)?.trim_ascii(),
    }))
}

/// A text without its last word, and that word.
fn last_word(text: &[u8]) -> Option<(&[u8], &[u8])> {
    let text = text.trim_ascii_end();
    let start = text.iter().rposition(u8::is_ascii_whitespace).map_or(0, |at| at + 1);
    text.split_at_checked(start).filter(|(_, word)| !word.is_empty()).map(|(rest, word)| (rest.trim_ascii_end(), word))
}

/// Reads command, ids and processor from the right: everything before the id is the command, blanks and digits too.
pub(super) fn who(text: &[u8]) -> Who<'_> {
    let mut found = Who::default();
    let mut rest = without_date(text.trim_ascii());
    (found.machine_pid, rest) = guest(rest, b"VM:");
    (found.vcpu, rest) = guest(rest, b"VCPU:");
    // Behind the processor, or behind the id, stand the letters of the field `misc`, where asked for.
    let letters = |text| last_word(text).filter(|(_, word)| word.len() <= 4 && is_misc(word));
    let (inner, misc) = letters(rest).unwrap_or((rest, b""));
    for (text, misc) in [(rest, &b""[..]), (inner, misc)] {
        let cpu = last_word(text).and_then(|(before, word)| {
            let number = word.strip_prefix(b"[").and_then(|word| word.strip_suffix(b"]")).and_then(signed)?;
            Some((before, u32::try_from(number).ok()))
        });
        let (text, cpu) = cpu.map_or((text, None), |(before, cpu)| (before, cpu));
        let (inner, inner_misc) = letters(text).unwrap_or((text, b""));
        for (text, misc) in [(text, misc), (inner, if misc.is_empty() { inner_misc } else { misc })] {
            let Some((comm, id)) = last_word(text) else { continue };
            let mut parts = id.splitn(2, |&byte| byte == b'/').map(signed);
            let (pid, tid) = match (parts.next().flatten(), parts.next()) {
                (Some(tid), None) => (None, tid),
                (Some(pid), Some(Some(tid))) => (Some(pid), tid),
                _ => continue,
            };
            return Who { comm, pid, tid: Some(tid), cpu, misc, ..found };
        }
        if cpu.is_some() {
            return Who { comm: text, cpu, misc, ..found };
        }
    }
    Who { comm: rest, ..found }
}

/// True for letters of the field `misc`.
pub(super) fn is_misc(word: &[u8]) -> bool {
    word.iter().all(|byte| b"KUHGgMESp".contains(byte))
}

/// The number behind a mark at the start of `text`, and what follows.
fn guest<'a>(text: &'a [u8], mark: &[u8]) -> (Option<u32>, &'a [u8]) {
    let Some(rest) = text.strip_prefix(mark).map(<[u8]>::trim_ascii_start) else { return (None, text) };
    let end = rest.iter().position(|byte| !byte.is_ascii_digit()).unwrap_or(rest.len());
    let number = rest.get(..end).and_then(decimal).and_then(|number| u32::try_from(number).ok());
    if number.is_some() { (number, rest.get(end..).unwrap_or(&[]).trim_ascii_start()) } else { (None, text) }
}

fn signed(text: &[u8]) -> Option<i32> {
    std::str::from_utf8(text).ok().filter(|text| !text.starts_with('+'))?.parse().ok()
}

/// Digits only; `None` for anything else and for what does not fit.
pub(super) fn decimal(text: &[u8]) -> Option<u64> {
    if text.is_empty() {
        return None;
    }
    text.iter().try_fold(0_u64, |sum, &byte| {
        let digit = byte.is_ascii_digit().then(|| u64::from(byte - b'0'))?;
        sum.checked_mul(10)?.checked_add(digit)
    })
}

/// The value of each byte as a hexadecimal digit; 16 for all others.
const HEX_DIGITS: [u8; 256] = {
    let mut digits = [16; 256];
    let mut value = 0;
    while value < 16 {
        digits[b"0123456789abcdef"[value] as usize] = value as u8;
        digits[b"0123456789ABCDEF"[value] as usize] = value as u8;
        value += 1;
    }
    digits
};

/// An address at the start of `text`, and what follows it after a blank.
fn address(text: &[u8]) -> Option<(u64, &[u8])> {
    let mut value = 0_u64;
    let mut digits = 0;
    for &byte in text.iter().take(17) {
        let digit = HEX_DIGITS[usize::from(byte)];
        if digit > 15 {
            break;
        }
        value = value << 4 | u64::from(digit);
        digits += 1;
    }
    let rest = text.get(digits..)?;
    // Sixteen digits and a tab begin a line of disassembly (`brstackinsn`).
    let ends = rest.first().is_none_or(|byte| byte.is_ascii_whitespace() && (*byte != b'\t' || digits < 16));
    (ends && (1..=16).contains(&digits)).then_some((value, rest.trim_ascii()))
}

/// What a part of the text has to know of a line of a call chain.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Brief {
    pub(super) address: u64,
    pub(super) inlined: bool,
    /// See [`RawFrame::is_cookie`].
    pub(super) cookie: bool,
}

/// The same of a line as [`frame`] says, with less work.
pub(super) fn brief(line: &[u8]) -> Option<Brief> {
    let (address, rest) = address(line.trim_ascii_start())?;
    let inlined = rest.strip_suffix(b"(inlined)").is_some_and(|before| before.last().is_none_or(|&byte| byte == b' '));
    let cookie = rest.starts_with(b"(cookie)") && frame(line).is_some_and(|raw| raw.is_cookie());
    Some(Brief { address, inlined, cookie })
}

/// Reads a line of a call chain: address, symbol with or without offset, and the module or `(inlined)` in parentheses.
pub(super) fn frame(line: &[u8]) -> Option<RawFrame<'_>> {
    let (address, rest) = address(line.trim_ascii_start())?;
    let (symbol, module) = split_module(rest);
    let inlined = module == Some(b"inlined");
    let module = module.filter(|&module| !inlined && module != b"[unknown]" && !module.is_empty()).map(plain_module);
    let symbol = without_offset(symbol.trim_ascii_end());
    let symbol = Some(symbol).filter(|&symbol| symbol != b"[unknown]" && !symbol.is_empty());
    Some(RawFrame { address, symbol, module, inlined })
}

/// Splits `symbol (module)`. Both may hold parentheses: the module's are taken as balanced.
fn split_module(text: &[u8]) -> (&[u8], Option<&[u8]>) {
    let Some(inner) = text.strip_suffix(b")") else {
        // A path whose end is missing (the reader of the text lost a part of the line) is no module, and no part of the name.
        let open = memchr::memmem::rfind(text, b" (/").filter(|&at| memchr::memchr(b')', text.get(at..).unwrap_or(&[])).is_none());
        return (open.and_then(|at| text.get(..at)).unwrap_or(text), None);
    };
    let opens = |at: usize| at == 0 || text.get(at - 1) == Some(&b' ');
    let mut depth = 1_usize;
    let mut last = None;
    for at in memchr::memrchr2_iter(b'(', b')', inner) {
        if inner.get(at) == Some(&b')') {
            depth += 1;
            continue;
        }
        depth = depth.saturating_sub(1);
        if opens(at) {
            last.get_or_insert(at);
        }
        if depth == 0 {
            if opens(at) {
                last = Some(at);
            }
            break;
        }
    }
    let Some(at) = last else { return (text, None) };
    (text.get(..at).unwrap_or(text), inner.get(at + 1..))
}

/// The path without `+0x…` (its offset, where asked for) and without the mark of a deleted file.
fn plain_module(module: &[u8]) -> &[u8] {
    let module = without_offset(module);
    module.strip_suffix(b" (deleted)").unwrap_or(module)
}

/// A name without `+0x…` at its end.
fn without_offset(name: &[u8]) -> &[u8] {
    let plus = memchr::memrchr(b'+', name).and_then(|at| name.split_at_checked(at));
    let offset = plus.and_then(|(before, offset)| offset.strip_prefix(b"+0x").map(|digits| (before, digits)));
    offset.filter(|(_, digits)| !digits.is_empty() && digits.iter().all(u8::is_ascii_hexdigit)).map_or(name, |(before, _)| before)
}

/// The `file:line` that stands on a line of its own after a frame; `None` for `module[address]` and for line 0.
pub(super) fn source_line(line: &[u8]) -> Option<(&[u8], u32)> {
    let text = line.trim_ascii();
    // perf appends the discriminator: `file.c:12 (discriminator 3)`.
    let text = memchr::memmem::find(text, b" (discriminator ").and_then(|at| text.get(..at)).unwrap_or(text);
    let colon = memchr::memrchr(b':', text)?;
    let line = decimal(text.get(colon + 1..)?).and_then(|line| u32::try_from(line).ok()).filter(|&line| line > 0)?;
    let file = text.get(..colon).filter(|file| !file.is_empty() && *file != b"??")?;
    Some((file, line))
}

/// True for a line that may stand after a frame and tells its place: two blanks and no more.
pub(super) fn is_source_line(line: &[u8]) -> bool {
    matches!(line, [b' ', b' ', third, ..] if !third.is_ascii_whitespace()) && memchr::memchr2(b':', b'[', line).is_some()
}

#[cfg(test)]
mod tests;
