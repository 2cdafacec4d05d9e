//! The reader of flight recordings on any bytes.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| emberlens_fuzz::read_as("jfr", bytes));
