//! Command scripts: what parses must mean the same when written down again.
#![no_main]

use emberlens::app::script::{Line, parse};

libfuzzer_sys::fuzz_target!(|text: &str| {
    for line in parse(text).unwrap_or_default() {
        if let Line::Do(command) = line {
            let again = emberlens::app::Command::from_line(&command.to_line());
            assert_eq!(again.map(|again| again.to_line()), Ok(command.to_line()));
        }
    }
});
