use super::*;
use proptest::prelude::*;

#[track_caller]
fn check_refused(kind: Kind, name: &str) {
    assert!(rules::check(kind, name).is_err(), "{kind:?} {name:?} is allowed");
}

#[test]
fn names_that_promtool_would_complain_about_are_refused() {
    for bad in [
        "",
        "9lives",
        "_x",
        "x:y",
        "x-y",
        "x.y",
        "camelCase",
        "größe",
        "x y",
        "x_ms",
        "x_s_y",
        "x_d",
        "x_milliseconds",
        "x_minutes",
        "kilograms_x",
        "x_bits",
        "x_gauge",
        "x_histogram_y",
        "x_summary",
        "x_counter",
        "x_total",
        "x_sum",
        "x_count",
        "x_bucket",
    ] {
        check_refused(Kind::Gauge, bad);
        check_refused(Kind::Histogram, bad);
    }
    for bad in
        ["x", "x_count_total", "x_total_total", "x_sum_total", "x_ms_total", "_total", "total"]
    {
        check_refused(Kind::Counter, bad);
    }
    check_refused(Kind::Gauge, &"x".repeat(201));
}

#[test]
fn good_names_are_allowed() {
    for good in [
        "x",
        "x2_y",
        "gauge_x",
        "s_x",
        "x_seconds",
        "x_celsius",
        "x_bytes",
        "x_ratio",
        "build_info",
        "process_max_fds",
        "x_totals",
        "x_seconds_y",
        "grams",
        "microscope_x",
    ] {
        assert!(rules::check(Kind::Gauge, good).is_ok(), "{good:?} is refused");
        assert!(rules::check(Kind::Counter, &format!("{good}_total")).is_ok(), "{good:?}_total");
    }
    assert!(rules::check(Kind::Gauge, &"x".repeat(200)).is_ok());
}

#[test]
fn metrics_take_the_names_of_their_samples() {
    assert_eq!(Kind::Counter.taken_names("x_total"), ["x", "x_total", "x_created"]);
    assert_eq!(Kind::Gauge.taken_names("x"), ["x"]);
    let taken = Kind::Histogram.taken_names("x");
    assert_eq!(taken, ["x", "x_bucket", "x_sum", "x_count", "x_created"]);
}

proptest! {
    #[test]
    fn a_translated_name_is_allowed(source in "\\PC{0,40}", dotted in "[a-zA-Z0-9._:/ -]{0,40}") {
        for kind in [Kind::Counter, Kind::Gauge, Kind::Histogram] {
            for source in [&source, &dotted] {
                if let Ok(exposed) = translate(kind, source) {
                    prop_assert!(check(kind, &exposed.name).is_ok(), "{}", exposed.name);
                }
            }
        }
    }
}
