//! `postern policy simulate`

use std::{collections::BTreeMap, path::PathBuf};

use jiff::{Span, SpanRelativeTo, Unit};
use postern_domain::SkillId;

use super::super::{Context, output, output::out, skill};
use crate::{
    clock::{Clock as _, SystemClock},
    policies::{self, Loaded},
};

/// A time that has passed, in milliseconds: `7d`, `12h`, `1w 3d`.
pub(super) fn passed(text: &str) -> Result<i64, String> {
    let wrong = || format!("{text:?} is no time such as 7d or 12h");
    let span: Span = text.parse().map_err(|_| wrong())?;
    let total = span.total((Unit::Millisecond, SpanRelativeTo::days_are_24_hours()));
    match total {
        // Times of commands are whole milliseconds and far below the mantissa.
        #[expect(clippy::cast_possible_truncation, reason = "bounded above and whole")]
        Ok(ms) if (0.0..1e15).contains(&ms) => Ok(ms as i64),
        Ok(_) | Err(_) => Err(wrong()),
    }
}

pub(super) async fn run(
    context: &Context,
    folder: Option<PathBuf>,
    since_ms: Option<i64>,
) -> anyhow::Result<()> {
    let office = context.office().await?;
    let folder = folder.unwrap_or_else(|| office.config.policies.clone());
    let proposed = Loaded::folder(&office.config, &folder)?;
    let installed = skill::registry(context)?.current()?.skills;
    let publishers: BTreeMap<SkillId, String> = installed
        .into_iter()
        .map(|(id, installed)| (id, installed.manifest.skill.publisher))
        .collect();
    let since = since_ms.map(|ms| SystemClock.now().plus_millis(-ms));
    let (store, rules) = (&office.store, &office.rules);
    let done = policies::simulate(store, rules, proposed.rules(), &publishers, since).await?;
    if context.json {
        return output::json(&done);
    }
    for change in &done.simulation.changes {
        let (calls, customers) = (change.count, change.customers);
        out!("{} {}: {calls} calls of {customers} customers", change.skill, change.action);
        out!("  now  {}", change.before);
        out!("  then {}", change.after);
    }
    let simulation = &done.simulation;
    out!("{} of {} calls would be treated differently", simulation.different, simulation.judged);
    if done.left_out > 0 {
        out!("{} calls cannot be judged again: their facts or skills are gone", done.left_out);
    }
    if done.cut {
        out!("There are more calls; name a shorter time with --since.");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_as_people_write_them() {
        for (text, hours) in [("7d", 168), ("12h", 12), ("1w 3d", 240), ("90m", 1)] {
            assert_eq!(passed(text).map(|ms| ms / 3_600_000), Ok(hours), "{text}");
        }
        for text in ["", "7", "soon", "-7d", "1y 400000000000d"] {
            assert!(passed(text).is_err(), "{text}");
        }
    }
}
