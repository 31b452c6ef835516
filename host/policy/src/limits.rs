//! Bounds on what is loaded, and the check that holds them before parsing.

use crate::PolicyError;

/// Bytes of one file.
pub(crate) const MAX_FILE_BYTES: usize = 256 * 1024;
/// Files of one load.
pub(crate) const MAX_FILES: usize = 256;
/// Rules of one load.
pub(crate) const MAX_RULES: usize = 2_000;
/// Bytes of one statement: a rule, or a declaration of the schema.
pub(crate) const MAX_STATEMENT_BYTES: usize = 8 * 1024;
/// Signs of operators in one statement. A chain of operators becomes a tree as deep
/// as it is long; parser and validator recurse over it, and beyond some depth
/// the validator passes what it did not look at.
pub(crate) const MAX_SIGNS: usize = 500;
/// Brackets inside one another, over which the parser recurses as well.
pub(crate) const MAX_NESTING: usize = 24;
/// Bytes of the text of one annotation.
pub(crate) const MAX_ANNOTATION_BYTES: usize = 400;
/// Bytes of an id or of a name in a TOML file.
pub(crate) const MAX_NAMED: usize = 64;
/// Declared collections: each multiplies the work of validation.
pub(crate) const MAX_COLLECTIONS: usize = 200;

/// Refuses a text on which the parser could use up the stack.
///
/// # Errors
/// The first place that is too large or too deep.
pub(crate) fn check_text(file: &str, text: &str) -> Result<(), PolicyError> {
    if text.len() > MAX_FILE_BYTES {
        let message = format!("{} bytes; a file has at most {MAX_FILE_BYTES}", text.len());
        return Err(PolicyError::of_file(file, message));
    }
    let bytes = text.as_bytes();
    let (mut at, mut depth, mut statement, mut signs) = (0, 0_usize, 0, 0);
    while let Some(byte) = bytes.get(at) {
        match byte {
            b'/' if bytes.get(at + 1) == Some(&b'/') => {
                at += bytes[at..].iter().take_while(|b| **b != b'\n').count();
            }
            b'"' => at = end_of_string(bytes, at),
            b'(' | b'[' | b'{' => depth += 1,
            b')' | b']' | b'}' => depth = depth.saturating_sub(1),
            b';' => (statement, signs) = (at + 1, 0),
            _ => {}
        }
        if matches!(
            byte,
            b'.' | b'&' | b'|' | b'+' | b'-' | b'*' | b'!' | b'=' | b'<' | b'>' | b'['
        ) {
            signs += 1;
        }
        if depth > MAX_NESTING {
            let message = format!("brackets nest deeper than {MAX_NESTING}");
            return Err(PolicyError::at(file, text, at, message));
        }
        let too_much = if at.saturating_sub(statement) > MAX_STATEMENT_BYTES {
            Some(format!("a statement is longer than {MAX_STATEMENT_BYTES} bytes"))
        } else if signs > MAX_SIGNS {
            Some(format!("a statement has more than {MAX_SIGNS} signs of operators"))
        } else {
            None
        };
        if let Some(message) = too_much {
            let hint = "split it into several".to_owned();
            let start = statement + leading_space(&text[statement..]);
            return Err(PolicyError::at(file, text, start, message).hint(hint));
        }
        at += 1;
    }
    Ok(())
}

fn leading_space(text: &str) -> usize {
    text.len() - text.trim_start().len()
}

/// Where the string that begins at `start` ends, or the text does.
fn end_of_string(bytes: &[u8], start: usize) -> usize {
    let mut at = start + 1;
    while let Some(byte) = bytes.get(at) {
        match byte {
            b'"' => return at,
            b'\\' => at += 2,
            _ => at += 1,
        }
    }
    bytes.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, refused_at: Option<(u32, u32)>) {
        let found = check_text("a", text).err().map(|error| (error.line, error.column));
        assert_eq!(found, refused_at, "{}", text.chars().take(60).collect::<String>());
    }

    #[test]
    fn deep_long_and_large_texts_are_refused_before_parsing() {
        check("permit (principal, action, resource);", None);
        check(&"(".repeat(24), None);
        check(&format!("\n{}", "(".repeat(25)), Some((2, 25)));
        check(
            &format!("// {}\n\"{}\\\"{}\"", "(".repeat(30), "[".repeat(30), "{".repeat(30)),
            None,
        );
        check(&format!("a;\nb{}", "c".repeat(9_000)), Some((2, 1)));
        check(&format!("a.b;\n\n x{};", ".a".repeat(501)), Some((3, 2)));
        check(&"a;".repeat(9_000), None);
        check(&";".repeat(MAX_FILE_BYTES + 1), Some((0, 0)));
        check("\"open \\", None);
    }
}
