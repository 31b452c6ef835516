//! The texts of JSON, where they stand.

use serde::de::IgnoredAny;
use serde_json::Value;

/// A text, the name of a member, or a number.
pub(crate) struct Part<'p> {
    /// The name of the member whose value it is, if it is one.
    pub(crate) name: &'p str,
    /// What it says.
    pub(crate) text: &'p str,
    /// Whether it is written without quotation marks.
    pub(crate) is_number: bool,
}

/// Whether a text is JSON.
pub(crate) fn is_json(text: &str) -> bool {
    serde_json::from_str::<IgnoredAny>(text).is_ok()
}

/// JSON in which texts, names and numbers say what `change` says; everything else stays
/// as it is written. `None` if nothing changes.
pub(crate) fn changed(
    json: &str,
    change: &mut dyn FnMut(Part<'_>) -> Option<String>,
) -> Option<String> {
    let bytes = json.as_bytes();
    let (mut out, mut copied, mut at) = (String::new(), 0, 0);
    let mut name = String::new();
    while let Some(byte) = bytes.get(at) {
        let is_number = *byte != b'"';
        let end = match byte {
            b'"' => end_of_text(bytes, at),
            b'-' | b'0'..=b'9' => end_of_number(bytes, at),
            _ => {
                at += 1;
                continue;
            }
        };
        let token = &json[at..end];
        // Half of a surrogate pair is JSON, and no text: what stands around it is read as
        // it is written.
        let decoded = (!is_number).then(|| serde_json::from_str::<String>(token).ok()).flatten();
        let text = match &decoded {
            Some(text) => text,
            None if is_number => token,
            None => token.strip_prefix('"').and_then(|it| it.strip_suffix('"')).unwrap_or(token),
        };
        let follows = bytes[end..].iter().find(|byte| !byte.is_ascii_whitespace());
        let is_name = !is_number && follows == Some(&b':');
        let of = if is_name { "" } else { name.as_str() };
        if let Some(said) = change(Part { name: of, text, is_number }) {
            out.push_str(&json[copied..at]);
            if is_number || decoded.is_some() {
                out.push_str(&Value::String(said).to_string());
            } else {
                out.push('"');
                out.push_str(&said);
                out.push('"');
            }
            copied = end;
        }
        if is_name {
            text.clone_into(&mut name);
        }
        at = end;
    }
    out.push_str(&json[copied..]);
    (copied > 0).then_some(out)
}

/// Where the text of JSON ends that begins at `start`.
fn end_of_text(bytes: &[u8], start: usize) -> usize {
    let mut at = start + 1;
    while let Some(byte) = bytes.get(at) {
        match byte {
            b'"' => return at + 1,
            b'\\' => at += 2,
            _ => at += 1,
        }
    }
    bytes.len()
}

/// Where the number of JSON ends that begins at `start`.
fn end_of_number(bytes: &[u8], start: usize) -> usize {
    let is_part =
        |byte: &u8| byte.is_ascii_digit() || matches!(byte, b'+' | b'-' | b'.' | b'e' | b'E');
    start + bytes[start..].iter().take_while(|byte| is_part(byte)).count()
}
