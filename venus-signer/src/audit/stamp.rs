//! Times as Go's database drivers write them.

use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

/// Reads `2006-01-02 15:04:05.999999999-07:00`, which Go's SQLite driver writes in whatever zone the program ran, and
/// the forms around it: a `T` between, a `Z` at the end, or no zone at all, which means UTC.
pub(super) fn parse(text: &str) -> Option<OffsetDateTime> {
    let (date, time) = text.trim().split_once([' ', 'T'])?;
    // `+0000 UTC` and the like, which a time's text in Go ends with, tell nothing more than the number.
    let time = time.split(" m=").next()?;
    let mut parts = time.split(' ');
    let clock = parts.next()?;
    let zone = match parts.next() {
        Some(zone) => hours_and_minutes(zone)?,
        None if clock.ends_with(['Z', 'z']) || clock.contains(['+', '-']) => String::new(),
        None => "Z".into(),
    };
    OffsetDateTime::parse(&format!("{date}T{clock}{zone}"), &Rfc3339).ok()
}

/// `+0800` as `+08:00`.
fn hours_and_minutes(zone: &str) -> Option<String> {
    let (hours, minutes) = zone.split_at_checked(3)?;
    let minutes = minutes.trim_start_matches(':');
    Some(format!("{hours}:{minutes}"))
}

/// The longest text that [`write`] writes, bytes; years beyond 9999 have more digits.
#[cfg(any(feature = "sqlite", test))]
pub(super) const MAX: usize = 35;

/// Writes UTC as Go's SQLite driver does. Texts sort as the times do, for digits are greater than `+`.
#[cfg(any(feature = "sqlite", test))]
pub(super) fn write(time: OffsetDateTime, text: &mut Vec<u8>) {
    let utc = time.to_offset(time::UtcOffset::UTC);
    let (year, month, day) = utc.to_calendar_date();
    let (hour, minute, second, fraction) = utc.to_hms_nano();
    // By hand, because every record has one: descriptions of a format are read anew each time.
    digits(year.unsigned_abs(), 4, text);
    let parts = [(b'-', u8::from(month)), (b'-', day), (b' ', hour), (b':', minute), (b':', second)];
    for (before, part) in parts {
        text.push(before);
        digits(part.into(), 2, text);
    }
    if fraction > 0 {
        text.push(b'.');
        digits(fraction, 9, text);
        while text.pop_if(|digit| *digit == b'0').is_some() {}
    }
    text.extend_from_slice(b"+00:00");
}

/// A number with at least so many digits.
#[cfg(any(feature = "sqlite", test))]
fn digits(number: u32, width: u32, text: &mut Vec<u8>) {
    let from = text.len();
    let (mut rest, mut written) = (number, 0);
    while rest > 0 || written < width {
        text.push(b'0' + (rest % 10) as u8);
        rest /= 10;
        written += 1;
    }
    text.get_mut(from..).unwrap_or_default().reverse();
}

/// Nanoseconds since 1970; what does not fit becomes the end of the range (years 1677 and 2262).
pub(super) fn nanoseconds(time: OffsetDateTime) -> i64 {
    let ns = time.unix_timestamp_nanos();
    i64::try_from(ns).unwrap_or(if ns < 0 { i64::MIN } else { i64::MAX })
}

/// The time of so many nanoseconds since 1970.
#[cfg(any(feature = "sqlite", test))]
pub(super) fn time(ns: i64) -> OffsetDateTime {
    OffsetDateTime::from_unix_timestamp_nanos(i128::from(ns)).unwrap_or(OffsetDateTime::UNIX_EPOCH)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn format(time: OffsetDateTime) -> String {
        let mut text = Vec::new();
        write(time, &mut text);
        assert!(text.len() <= MAX);
        String::from_utf8(text).unwrap()
    }

    #[test]
    fn as_go_writes_them() {
        let same = [
            "2026-11-21 08:29:07.187189969+00:00",
            "2026-11-21 09:29:07.187189969+01:00",
            "2026-11-21T08:29:07.187189969Z",
            "2026-11-21 08:29:07.187189969",
            "2026-11-21 02:59:07.187189969-05:30",
            "2026-11-21 16:29:07.187189969 +0800 CST m=+0.1",
        ];
        let times: Vec<OffsetDateTime> = same.iter().map(|text| parse(text).unwrap()).collect();
        assert!(times.iter().all(|time| *time == times[0]), "{times:?}");
        assert_eq!(format(times[1]), same[0]);
        assert_eq!(time(nanoseconds(times[0])), times[0]);
        for text in ["2026-11-21 08:29:07.5+00:00", "2026-11-21 08:29:07+00:00"] {
            assert_eq!(format(parse(text).unwrap()), text);
        }
        for text in ["", "yesterday", "2026-11-21", "2026-11-21 25:00:00", "2026-11-21 08:29:07 é€"] {
            assert_eq!(parse(text), None, "{text}");
        }
    }

    proptest::proptest! {
        #[test]
        fn texts_sort_as_times(a in 0..i64::MAX, b in 0..i64::MAX) {
            let [ta, tb] = [a, b].map(|ns| format(time(ns)));
            proptest::prop_assert_eq!(a.cmp(&b), ta.cmp(&tb));
            proptest::prop_assert_eq!(parse(&ta).map(nanoseconds), Some(a));
        }

        #[test]
        fn nothing_panics(text in ".{0,40}") {
            let _ = parse(&text);
        }
    }
}
