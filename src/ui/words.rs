//! Numbers and times as short text. Deliberately absent: values with units, see `model::human`.

use jiff::tz::TimeZone;

use crate::analysis::comparison::percent;
use crate::model::counted;

/// Shares of both sides, or of the one that is shown: `4.73 % → 2.30 %`.
pub(super) fn shares(shares: &[f64]) -> String {
    shares.iter().map(|&share| percent(share)).collect::<Vec<_>>().join(" → ")
}

/// How long ago a second was: `just now`, `5 minutes ago`, `3 days ago`, then the date.
pub(super) fn ago(then_unix: i64, now_unix: i64) -> String {
    let count = |seconds: i64, one: &str, many: &str| format!("{} ago", counted((seconds).max(0) as u64, one, many));
    match now_unix - then_unix {
        ..60 => "just now".to_owned(),
        age @ 60..3600 => count(age / 60, "minute", "minutes"),
        age @ 3600..86_400 => count(age / 3600, "hour", "hours"),
        age @ 86_400..2_592_000 => count(age / 86_400, "day", "days"),
        _ => date(then_unix.saturating_mul(1_000_000_000)).split(' ').next().unwrap_or_default().to_owned(),
    }
}

/// Date, time and zone of a moment: `2026-10-12 18:04:05 +02:00`.
pub(super) fn date(unix_nanos: i64) -> String {
    jiff::Timestamp::from_nanosecond(i128::from(unix_nanos))
        .map(|moment| moment.to_zoned(TimeZone::system()).strftime("%Y-%m-%d %H:%M:%S %:z").to_string())
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ages_are_said_in_the_largest_whole_unit() {
        for (age, text) in [(5, "just now"), (60, "1 minute ago"), (7200, "2 hours ago"), (90_000, "1 day ago")] {
            assert_eq!(ago(1_000_000, 1_000_000 + age), text);
        }
        assert_eq!(ago(100, 50), "just now", "a clock that was set back");
        assert!(ago(0, 1_000_000_000).starts_with("19"), "{}", ago(0, 1_000_000_000));
    }
}
