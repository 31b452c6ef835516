//! The `log` facade, written to `postern:log`.

use log::{LevelFilter, Log, Metadata, Record, kv};

use crate::host;

/// Lines below `info` are for the author: a release leaves them out.
const MOST: LevelFilter =
    if cfg!(debug_assertions) { LevelFilter::Trace } else { LevelFilter::Info };

struct Logger;

static LOGGER: Logger = Logger;

/// Sends the lines of the `log` facade to the host.
///
/// A test may have a logger of its own already, which then stays.
pub fn install() {
    if log::set_logger(&LOGGER).is_ok() {
        log::set_max_level(MOST);
    }
}

impl Log for Logger {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.level() <= MOST
    }

    fn log(&self, record: &Record<'_>) {
        let mut fields = Fields(Vec::new());
        // Collecting into a list cannot fail; a value that does not print is left out.
        let _ = record.key_values().visit(&mut fields);
        host::log(record.level(), &record.args().to_string(), fields.0);
    }

    fn flush(&self) {}
}

struct Fields(Vec<(String, String)>);

impl<'kvs> kv::VisitSource<'kvs> for Fields {
    fn visit_pair(&mut self, key: kv::Key<'kvs>, value: kv::Value<'kvs>) -> Result<(), kv::Error> {
        self.0.push((key.to_string(), value.to_string()));
        Ok(())
    }
}
