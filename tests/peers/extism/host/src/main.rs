//! Calls the plugin in a fresh instance each time, compiled once, and prints the
//! reply and how long a call takes.

use std::time::{Duration, Instant};

use extism::{CompiledPlugin, Manifest, PluginBuilder, UserData, ValType::I64, Wasm, host_fn};

const CALLS: usize = 2_000;
const WARM_UP: usize = 200;

host_fn!(records_get(record: String; _key: String) -> String {
    let record = record.get()?;
    let record = record.lock().map_err(|_| extism::Error::msg("the record is gone"))?;
    Ok(record.clone())
});

host_fn!(write_log(_nothing: String; _line: String) -> () {
    Ok(())
});

fn main() -> Result<(), extism::Error> {
    let mut arguments = std::env::args().skip(1);
    let usage = || extism::Error::msg("usage: peer-extism PLUGIN ORDER");
    let plugin = arguments.next().ok_or_else(usage)?;
    let record = std::fs::read_to_string(arguments.next().ok_or_else(usage)?)?;
    let manifest = Manifest::new([Wasm::data(std::fs::read(plugin)?)]);
    let builder = PluginBuilder::new(manifest)
        .with_function("records_get", [I64], [I64], UserData::new(record), records_get)
        .with_function("write_log", [I64], [], UserData::new(String::new()), write_log);
    let compiled = CompiledPlugin::new(builder)?;
    let input = r##"{"order_id":"#W1000000"}"##;
    let mut times = Vec::with_capacity(CALLS);
    let mut text = String::new();
    for call in 0..WARM_UP + CALLS {
        let began = Instant::now();
        let mut plugin = extism::Plugin::new_from_compiled(&compiled)?;
        let answer: String = plugin.call("order_status_call", input)?;
        drop(plugin);
        if call >= WARM_UP {
            times.push(began.elapsed());
        }
        text = answer;
    }
    times.sort_unstable();
    let micros = |at: usize| times.get(at).map_or(0.0, Duration::as_secs_f64) * 1e6;
    let answer: serde_json::Value = serde_json::from_str(&text)?;
    let report = serde_json::json!({
        "p50_us": micros(CALLS / 2), "p99_us": micros(CALLS * 99 / 100), "text": answer["text"],
    });
    println!("{report}");
    Ok(())
}
