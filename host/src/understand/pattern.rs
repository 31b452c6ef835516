//! Regular expressions of skills.

use std::sync::LazyLock;

use regex::Regex;
use regex_syntax::ast::{self, Assertion, AssertionKind, Ast, Visitor, parse::Parser};

/// Makes the word boundaries of a pattern ASCII ones. A Unicode boundary never
/// lies between a Chinese character and a digit, so `\bW\d{7}` would not be
/// found in `订单W1234567`. A pattern that is wrong is left for the compiler to
/// complain about.
pub(super) fn with_ascii_boundaries(pattern: &str) -> String {
    let mut changed = pattern.to_owned();
    let Ok(parsed) = Parser::new().parse(pattern) else { return changed };
    let Ok(mut boundaries) = ast::visit(&parsed, Boundaries::default());
    boundaries.sort_unstable();
    for (start, end) in boundaries.into_iter().rev() {
        changed.replace_range(start..end, &format!("(?-u:{})", &pattern[start..end]));
    }
    changed
}

/// Collects where the boundaries stand.
#[derive(Default)]
struct Boundaries(Vec<(usize, usize)>);

impl Visitor for Boundaries {
    type Output = Vec<(usize, usize)>;
    type Err = std::convert::Infallible;

    fn finish(self) -> Result<Self::Output, Self::Err> {
        Ok(self.0)
    }

    fn visit_pre(&mut self, ast: &Ast) -> Result<(), Self::Err> {
        if let Ast::Assertion(assertion) = ast {
            let Assertion { span, kind } = assertion.as_ref();
            match kind {
                AssertionKind::WordBoundary
                | AssertionKind::WordBoundaryStart
                | AssertionKind::WordBoundaryEnd
                | AssertionKind::WordBoundaryStartAngle
                | AssertionKind::WordBoundaryEndAngle
                | AssertionKind::WordBoundaryStartHalf
                | AssertionKind::WordBoundaryEndHalf => {
                    self.0.push((span.start.offset, span.end.offset));
                }
                // An ASCII `\B` could match within a character and is refused
                // by the compiler.
                AssertionKind::NotWordBoundary
                | AssertionKind::StartLine
                | AssertionKind::EndLine
                | AssertionKind::StartText
                | AssertionKind::EndText => {}
            }
        }
        Ok(())
    }
}

/// The first group that a replacement refers to and the pattern does not have.
/// The `regex` crate would put nothing in its place.
pub(super) fn unknown_group(regex: &Regex, normal: &str) -> Option<String> {
    static REFERENCE: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(r"\$\$|\$(?:\{([^}]*)\}|([0-9A-Za-z_]+))")
            .expect("the pattern is constant and tested")
    });
    REFERENCE
        .captures_iter(normal)
        .filter_map(|found| found.get(1).or(found.get(2)))
        .map(|group| group.as_str().to_owned())
        .find(|group| match group.parse::<usize>() {
            Ok(number) => number >= regex.captures_len(),
            Err(_) => !regex.capture_names().flatten().any(|name| name == group),
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn boundaries_become_ascii_and_the_rest_stays() {
        assert_eq!(with_ascii_boundaries(r"\b#?W\d{7}\b"), r"(?-u:\b)#?W\d{7}(?-u:\b)");
        assert_eq!(with_ascii_boundaries(r"\\b[\\b]\B^x$"), r"\\b[\\b]\B^x$");
        assert_eq!(with_ascii_boundaries(r"(é\b{start}x)+"), r"(é(?-u:\b{start})x)+");
        assert_eq!(with_ascii_boundaries("("), "(");
    }

    #[test]
    fn references_to_missing_groups_are_named() {
        let regex = Regex::new("(a)(?<tail>b)").unwrap();
        assert_eq!(unknown_group(&regex, "$0-$1-${tail}-$$9"), None);
        assert_eq!(unknown_group(&regex, "$3").as_deref(), Some("3"));
        assert_eq!(unknown_group(&regex, "$1a").as_deref(), Some("1a"));
    }
}
