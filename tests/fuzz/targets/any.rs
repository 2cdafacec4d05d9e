//! Peeling, sniffing and reading of any bytes.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| emberlens_fuzz::read_any(bytes));
