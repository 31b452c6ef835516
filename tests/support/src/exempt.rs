//! Skills of tests that change something elsewhere without being asked first.

use std::{fs, io, path::Path};

/// What stands in each shipped rule for requests that change something elsewhere.
const SAFE: &str = "context.arguments.method == Method::\"HEAD\" ||\n    context.satisfied";

/// Exempts a skill from the duties of requests in the rules of a data folder.
///
/// # Errors
/// The rules cannot be read or written, or are not what was shipped.
pub fn from_duties_of_requests(data: &Path, skill: &str) -> io::Result<()> {
    let file = data.join("policies/effects.cedar");
    let rules = fs::read_to_string(&file)?;
    let is_skill = format!("principal == Skill::\"{skill}\" ||\n    {SAFE}");
    let exempt = rules.replace(SAFE, &is_skill);
    if exempt == rules {
        return Err(io::Error::other(format!("{}: not the shipped rules", file.display())));
    }
    fs::write(file, exempt)
}
