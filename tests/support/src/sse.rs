//! Reading server-sent events (WHATWG HTML, section 9.2).

use std::collections::VecDeque;

/// One event.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct SseEvent {
    /// The last id that the stream gave.
    pub id: Option<String>,
    /// Its type; `message` unless the stream says otherwise.
    pub event: String,
    /// Its data, lines joined.
    pub data: String,
}

/// Turns bytes, cut anywhere, into events.
#[derive(Debug, Default)]
pub struct SseParser {
    line: Vec<u8>,
    after_return: bool,
    id: Option<String>,
    event: String,
    data: String,
    ready: VecDeque<SseEvent>,
}

impl SseParser {
    /// Takes the next bytes.
    pub fn feed(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            // CR, LF and CRLF each end a line.
            match byte {
                b'\n' if self.after_return => {}
                b'\n' | b'\r' => self.end_line(),
                _ => self.line.push(byte),
            }
            self.after_return = byte == b'\r';
        }
    }

    /// The next whole event.
    pub fn next_event(&mut self) -> Option<SseEvent> {
        self.ready.pop_front()
    }

    fn end_line(&mut self) {
        let line = String::from_utf8_lossy(&std::mem::take(&mut self.line)).into_owned();
        if line.is_empty() {
            self.end_event();
            return;
        }
        let (field, value) = line.split_once(':').unwrap_or((&line, ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        match field {
            "id" => self.id = Some(value.to_owned()),
            "event" => value.clone_into(&mut self.event),
            "data" => {
                self.data.push_str(value);
                self.data.push('\n');
            }
            // A comment has an empty field name; others are to be ignored.
            _ => {}
        }
    }

    fn end_event(&mut self) {
        let event = std::mem::take(&mut self.event);
        let mut data = std::mem::take(&mut self.data);
        if data.pop().is_none() {
            return;
        }
        let event = if event.is_empty() { "message".to_owned() } else { event };
        self.ready.push_back(SseEvent { id: self.id.clone(), event, data });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const STREAM: &str = ": hello\n\nid: 1\nevent: message\ndata: {\"a\":\n\
         data: \"é\"}\n\nid: 2\r\ndata:x\r\n\r\nevent: nothing\n\n";

    fn events(chunk: usize) -> Vec<SseEvent> {
        let mut parser = SseParser::default();
        let mut events = Vec::new();
        for bytes in STREAM.as_bytes().chunks(chunk) {
            parser.feed(bytes);
            events.extend(std::iter::from_fn(|| parser.next_event()));
        }
        events
    }

    #[test]
    fn events_are_the_same_however_the_bytes_are_cut() {
        let event = |id: &str, data: &str| SseEvent {
            id: Some(id.into()),
            event: "message".into(),
            data: data.into(),
        };
        for chunk in [1, 2, 3, 7, 1000] {
            assert_eq!(events(chunk), [event("1", "{\"a\":\n\"é\"}"), event("2", "x")], "{chunk}");
        }
    }
}
