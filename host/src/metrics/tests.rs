use std::{collections::BTreeMap, time::Duration};

use postern_domain::Timestamp;
use serde_json::json;

use super::*;

/// What Prometheus reads: the type of each family, and each sample.
#[derive(Debug, Default)]
struct Scraped {
    types: BTreeMap<String, String>,
    samples: BTreeMap<String, f64>,
}

fn is_name(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphabetic())
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
}

/// Reads the text format and fails on whatever Prometheus would not take.
fn scrape(text: &str) -> Scraped {
    let mut scraped = Scraped::default();
    let mut helped = Vec::new();
    for line in text.lines().filter(|line| !line.is_empty()) {
        if let Some(help) = line.strip_prefix("# HELP ") {
            let (name, words) = help.split_once(' ').expect(line);
            assert!(is_name(name) && !words.is_empty(), "{line}");
            helped.push(name.to_owned());
        } else if let Some(of) = line.strip_prefix("# TYPE ") {
            let (name, kind) = of.split_once(' ').expect(line);
            assert!(helped.iter().any(|helped| helped == name), "{line} without help");
            assert!(["counter", "gauge", "histogram"].contains(&kind), "{line}");
            let before = scraped.types.insert(name.to_owned(), kind.to_owned());
            assert_eq!(before, None, "{line}");
        } else {
            let (series, value) = line.rsplit_once(' ').expect(line);
            let name = series.split('{').next().unwrap();
            assert!(is_name(name), "{line}");
            let family = ["_bucket", "_sum", "_count"]
                .iter()
                .find_map(|end| {
                    name.strip_suffix(end).filter(|name| helped.contains(&(*name).to_owned()))
                })
                .unwrap_or(name);
            assert!(scraped.types.contains_key(family), "{line} without a type");
            let before = scraped.samples.insert(series.to_owned(), value.parse().expect(line));
            assert_eq!(before, None, "{line} twice");
        }
    }
    scraped
}

fn skill(name: &str) -> SkillId {
    name.parse().unwrap()
}

fn usage(wall_ms: u64, cpu_ms: u64) -> Usage {
    Usage {
        wall: Duration::from_millis(wall_ms),
        cpu: Duration::from_millis(cpu_ms),
        ..Usage::default()
    }
}

fn failure(stored: serde_json::Value) -> Result<Outcome, SkillFailure> {
    Err(serde_json::from_value(stored).unwrap())
}

#[test]
fn the_figures_are_what_prometheus_reads() {
    let metrics = Metrics::default();
    let orders = skill("order-status");
    let reply = Ok(Outcome::Reply { text: "ann@shop.example has \"one\"\n".to_owned() });
    metrics.called(&orders, "order_status", &reply, &usage(3, 1));
    metrics.called(&orders, "order_status", &reply, &usage(60_000, 2));
    let looper = skill("looper");
    let limit = failure(
        json!({"failure": "limit", "skill": "looper", "limit": "cpu_time", "value": "500 ms"}),
    );
    let dropped = Usage { log_lines_dropped: 7, ..usage(501, 500) };
    metrics.called(&looper, "spin", &limit, &dropped);
    let trap = failure(json!({"failure": "trap", "message": "ann@shop.example"}));
    metrics.called(&looper, "spin", &trap, &usage(1, 1));
    metrics.rested(&looper, "spin");
    metrics.breaker_opened(&looper);
    metrics.judged(&orders, "records:get", Decision::Allow);
    metrics.judged(&orders, "records:get", Decision::Deny);
    metrics.judged(&orders, "records:get", Decision::Deny);

    let until = Timestamp::from_millis(1);
    let active = [
        (&orders, Standing::Closed { failures: 0 }),
        (&looper, Standing::Open { failures: 5, until }),
    ];
    let text = metrics.render(active);
    let scraped = scrape(&text);
    for (name, kind) in [
        ("postern_skill_calls_total", "counter"),
        ("postern_skill_limits_total", "counter"),
        ("postern_skill_traps_total", "counter"),
        ("postern_skill_breaker_open", "gauge"),
        ("postern_skill_breaker_opened_total", "counter"),
        ("postern_skill_call_seconds", "histogram"),
        ("postern_skill_cpu_seconds", "histogram"),
        ("postern_host_calls_total", "counter"),
        ("postern_log_lines_dropped_total", "counter"),
    ] {
        assert_eq!(scraped.types.get(name).map(String::as_str), Some(kind), "{name} in {text}");
    }
    let of = |series: &str| scraped.samples.get(series).copied();
    for (series, value) in [
        (
            r#"postern_skill_calls_total{skill="order-status",tool="order_status",outcome="reply"}"#,
            2.0,
        ),
        (r#"postern_skill_calls_total{skill="looper",tool="spin",outcome="limit"}"#, 1.0),
        (r#"postern_skill_calls_total{skill="looper",tool="spin",outcome="trap"}"#, 1.0),
        (r#"postern_skill_calls_total{skill="looper",tool="spin",outcome="resting"}"#, 1.0),
        (r#"postern_skill_limits_total{skill="looper",limit="cpu_time"}"#, 1.0),
        (r#"postern_skill_traps_total{skill="looper"}"#, 1.0),
        (r#"postern_skill_traps_total{skill="order-status"}"#, 0.0),
        (r#"postern_skill_breaker_open{skill="looper"}"#, 1.0),
        (r#"postern_skill_breaker_open{skill="order-status"}"#, 0.0),
        (r#"postern_skill_breaker_opened_total{skill="looper"}"#, 1.0),
        (r#"postern_log_lines_dropped_total{skill="looper"}"#, 7.0),
        (
            r#"postern_host_calls_total{skill="order-status",action="records:get",decision="deny"}"#,
            2.0,
        ),
        (r#"postern_skill_call_seconds_bucket{skill="order-status",le="0.0025"}"#, 0.0),
        (r#"postern_skill_call_seconds_bucket{skill="order-status",le="0.005"}"#, 1.0),
        (r#"postern_skill_call_seconds_bucket{skill="order-status",le="30"}"#, 1.0),
        (r#"postern_skill_call_seconds_bucket{skill="order-status",le="+Inf"}"#, 2.0),
        (r#"postern_skill_call_seconds_count{skill="order-status"}"#, 2.0),
        (r#"postern_skill_cpu_seconds_count{skill="looper"}"#, 2.0),
    ] {
        assert_eq!(of(series), Some(value), "{series} in {text}");
    }
    assert!(!text.contains("ann"), "no personal data: {text}");
}

#[test]
fn a_breaker_that_closes_is_shown_as_closed() {
    let metrics = Metrics::default();
    let looper = skill("looper");
    let open = r#"postern_skill_breaker_open{skill="looper"}"#;
    for (standing, value) in
        [(Standing::HalfOpen { failures: 5 }, 1.0), (Standing::Closed { failures: 0 }, 0.0)]
    {
        let scraped = scrape(&metrics.render([(&looper, standing)]));
        assert_eq!(scraped.samples[open], value, "{standing:?}");
    }
}

#[test]
fn the_breaker_of_a_removed_skill_is_shown_as_closed() {
    let metrics = Metrics::default();
    let (looper, orders) = (skill("looper"), skill("order-status"));
    let series = r#"postern_skill_breaker_open{skill="looper"}"#;
    let open = Standing::HalfOpen { failures: 5 };
    let value = |text: String| scrape(&text).samples[series];
    assert_eq!(value(metrics.render([(&looper, open), (&orders, open)])), 1.0);
    let text = metrics.render([(&orders, open)]);
    assert!(text.contains(r#"postern_skill_breaker_open{skill="order-status"} 1"#), "{text}");
    assert_eq!(value(text), 0.0);
    assert_eq!(value(metrics.render([])), 0.0);
    assert_eq!(value(metrics.render([(&looper, open)])), 1.0);
}

#[test]
fn hosts_in_one_process_count_for_themselves() {
    let (one, other) = (Metrics::default(), Metrics::default());
    one.rested(&skill("looper"), "spin");
    one.tidy();
    assert!(one.render([]).contains("looper"));
    assert_eq!(other.render([]), "");
}
