//! A review for people.

use crate::{
    cli::output::out,
    registry::{
        Source,
        review::{Answer, Difference, Review},
    },
};

/// What an operator reads before they say yes.
pub(super) fn print(review: &Review, changes: Option<&Difference>) -> anyhow::Result<()> {
    out!("{} {} by {}", review.skill, review.version, review.publisher);
    out!("{}", review.description);
    let signer = match &review.signed_by {
        Some(by) => format!("key {} of {}, which you trust", by.key, by.publisher),
        None => "NOBODY whom you trust; nothing proves who made it".to_owned(),
    };
    out!("signed by:  {signer}");
    if let Some(source) = &review.source {
        out!("from:       {}", told(source));
    }
    let files = match review.files {
        0 => String::new(),
        1 => ", 1 file of its own".to_owned(),
        files => format!(", {files} files of its own"),
    };
    out!("content:    {} ({} bytes{files})", review.digest, review.bytes);
    if let Some(changes) = changes {
        differences(changes)?;
    }
    out!("\nTools");
    for tool in &review.tools {
        let (name, effect, known) = (&tool.name, tool.effect, tool.identity.as_str());
        out!("  {name:<18} {} ({effect}; customer: {known})", tool.description);
    }
    out!("\nAsks for");
    if review.wishes.is_empty() {
        out!("  nothing: it answers from its own text alone");
    }
    for wish in &review.wishes {
        out!("  {:<9} {}", wish.interface.as_str(), wish.reason);
        for line in &wish.means {
            out!("  {:<9} → {line}", "");
        }
    }
    for warning in &review.warnings {
        out!("  !         {warning}");
    }
    if !review.limits.is_empty() {
        out!("\nLimits other than the usual");
        for row in &review.limits {
            let asked = row.asked.as_deref().unwrap_or("-");
            out!("  {:<18} asks for {asked}, gets {}", row.limit, row.effective);
        }
    }
    if !review.judged.is_empty() {
        out!("\nWhat your rules say, for a customer who is identified");
        for line in &review.judged {
            let tools = match line.tools.as_slice() {
                [] => String::new(),
                tools => format!(" (in {})", tools.join(", ")),
            };
            let rules: Vec<&str> = line.rules.iter().map(String::as_str).collect();
            let answer = match line.answer {
                Answer::Permitted => "permitted".to_owned(),
                Answer::After => format!("after {}", line.because.join(" and ")),
                Answer::Refused => "REFUSED".to_owned(),
            };
            out!("  {}{tools}: {answer} ({})", line.what, rules.join(", "));
        }
        if review.judged.iter().any(|line| line.answer == Answer::Refused) {
            out!(
                "  Where it is refused, the skill is told so. Rules that its author proposes lie in \
                 its policy.cedar:\n  read them, copy them into your folder of rules, and put them \
                 in force with `postern policy apply`."
            );
        }
    }
    Ok(())
}

fn differences(changes: &Difference) -> anyhow::Result<()> {
    let (was, is) = &changes.version;
    out!("\nInstalled is {was}; this is {is}");
    if changes.same_content {
        out!("  the content is the same");
    }
    for (mark, lines) in [
        ("WIDER   ", &changes.wider),
        ("narrower", &changes.narrower),
        ("SIGNER  ", &changes.signer),
        ("        ", &changes.other),
    ] {
        for line in lines {
            out!("  {mark} {line}");
        }
    }
    if changes.needs_grant() {
        out!("  It needs your grant again.");
    } else {
        let stay: Vec<_> = changes.stay.iter().map(|interface| interface.as_str()).collect();
        let stay = if stay.is_empty() { "nothing".to_owned() } else { stay.join(", ") };
        out!("  It asks for no more than it had; what you granted stays: {stay}");
    }
    Ok(())
}

/// Where something came from, for people.
pub(super) fn told(source: &Source) -> String {
    match source {
        Source::Path { path } => path.clone(),
        Source::Https { url } => url.clone(),
        Source::Oci { reference, manifest } => format!("{reference} ({manifest})"),
    }
}
