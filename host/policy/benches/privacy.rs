//! Personal data taken out of texts of 200 bytes to 1 MB, beside one simple expression
//! over the same text, which is the floor; and texts made to take long.
//!
//! `cargo bench -p postern-policy --bench privacy`.

use std::{hint::black_box, time::Duration};

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use postern_policy::personal::{Detector, Purpose};
use regex::Regex;

const PLAIN: &str = "Hello, I ordered a pair of blue running shoes last week and they still have \
    not arrived. Could you please tell me where they are, and whether I can change the address \
    before they get here?  Thank you!";

const PERSONAL: &str = "Hello, I paid with 4111 1111 1111 1111 last week and nothing came. Write to \
    ava.moore@example.com or call +44 20 7946 0018 please, and tell me whether I can change the \
    address before it gets here? Thanks";

/// Repeated, these begin something at every few bytes.
const HOSTILE: [&str; 12] = [
    "1 ",
    "a@",
    "1.1.",
    "::",
    "2024-",
    "GB82WEST",
    "+1 ",
    "(0)",
    "138 0000 ",
    "phone ",
    "4111-",
    "012 345 678 ",
];

fn texts(c: &mut Criterion) {
    let detector = Detector::standard();
    let floor = Regex::new(r"(?-u)[0-9]{11,19}|[a-z0-9._-]+@[a-z0-9.-]+")
        .expect("the expression is constant");
    let mut group = c.benchmark_group("privacy");
    for (name, text) in [("plain", PLAIN), ("personal", PERSONAL)] {
        group.throughput(Throughput::Bytes(text.len() as u64));
        group.bench_function(BenchmarkId::new("redact", name), |b| {
            b.iter(|| black_box(detector.redact(black_box(text), Purpose::Logs)));
        });
        group.bench_function(BenchmarkId::new("find", name), |b| {
            b.iter(|| black_box(detector.find_for(black_box(text), Purpose::Placeholders)));
        });
        group.bench_function(BenchmarkId::new("floor", name), |b| {
            b.iter(|| black_box(floor.find_iter(black_box(text)).count()));
        });
    }
    let ascii = PLAIN.repeat(10);
    let accents = ascii.replace('e', "é").replace(" and ", " où ");
    for (name, text) in [("ascii", ascii), ("accents", accents)] {
        group.throughput(Throughput::Bytes(text.len() as u64));
        group.bench_function(BenchmarkId::new("2 KB", name), |b| {
            b.iter(|| black_box(detector.redact(black_box(&text), Purpose::Logs)));
        });
    }
    group.finish();
}

fn sizes(c: &mut Criterion) {
    let detector = Detector::standard();
    let mut group = c.benchmark_group("privacy-sizes");
    group.sample_size(10).warm_up_time(Duration::from_millis(500));
    for unit in std::iter::once(PERSONAL).chain(HOSTILE) {
        for size in [1 << 16, 1 << 17, 1 << 20] {
            let text = unit.repeat(size / unit.len());
            group.throughput(Throughput::Bytes(text.len() as u64));
            let name = unit.get(..8).unwrap_or(unit);
            group.bench_function(BenchmarkId::new(name, size), |b| {
                b.iter(|| black_box(detector.find_for(black_box(&text), Purpose::Placeholders)));
            });
        }
    }
    group.finish();
}

criterion_group!(benches, texts, sizes);
criterion_main!(benches);
