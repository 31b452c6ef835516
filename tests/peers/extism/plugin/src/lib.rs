//! The work of the skill order-status as an Extism plugin.

use extism_pdk::{FnResult, Json, host_fn, plugin_fn};
use work::{Answer, Arguments, order_status};

#[expect(dead_code, reason = "the record comes from the host here")]
#[path = "../../../src/lib.rs"]
mod work;

#[host_fn]
extern "ExtismHost" {
    fn records_get(key: String) -> String;
    fn write_log(line: String);
}

/// Reads the order from the host, notes it, and tells how it stands.
#[plugin_fn]
pub fn order_status_call(Json(arguments): Json<Arguments>) -> FnResult<Json<Answer>> {
    // SAFETY: both are plain calls of the host with texts.
    let record = unsafe { records_get(arguments.order_id) }?;
    let answer = order_status(&record)?;
    unsafe { write_log("order read".to_owned()) }?;
    Ok(Json(answer))
}
