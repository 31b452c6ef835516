//! Texts of any length, line by line: nothing personal reaches over the end of a line
//! but a private key.

use std::{borrow::Cow, sync::Arc};

use postern_policy::personal::Detector;

use super::encoded::{find, key_in, without};

/// Bytes of a line that is looked at as a whole; a longer one is broken.
const WINDOW: usize = 16 * 1024;
/// Where a line that is too long is broken: not before …
const EARLIEST: usize = WINDOW / 2;
/// … not behind, so that what is left is still seen with the words before it …
const LATEST: usize = WINDOW - 2 * MARGIN;
/// … and what ends behind this may be seen in part alone.
const MARGIN: usize = 1024;
/// Bytes of a private key that are taken out with it.
const LONGEST_KEY: usize = 64 * 1024;
/// Times that a line is looked through: a name in place of a datum can bring words
/// together that say what a number is.
const MOST_PASSES: usize = 4;

/// What is written for a line that does not come clean.
const UNCLEAN: &str = "[…]";
/// What is written for a run of characters that is too long to be looked through.
const DATA: &str = "[DATA]";
/// What is written for a private key.
const SECRET: &str = "[SECRET]";

/// A text with nothing personal in it.
pub(super) fn clean<'t>(text: &'t str, detector: &Arc<Detector>) -> Cow<'t, str> {
    if text.len() <= WINDOW && !text.contains('\n') && key_in(text).is_none() {
        return clean_line(text, detector);
    }
    let mut stream = Stream::new(Arc::clone(detector));
    let mut out = stream.push(text);
    out.push_str(&stream.finish());
    if out == text { Cow::Borrowed(text) } else { Cow::Owned(out) }
}

/// One line, or what a longer one is broken into.
fn clean_line<'t>(line: &'t str, detector: &Detector) -> Cow<'t, str> {
    let mut text = Cow::Borrowed(line);
    for _ in 0..=MOST_PASSES {
        let found = find(&text, detector);
        if found.is_empty() {
            // What has grown over the window would be broken the next time.
            return if text.len() <= WINDOW { text } else { Cow::Borrowed(UNCLEAN) };
        }
        text = Cow::Owned(without(&text, &found, detector));
    }
    Cow::Borrowed(UNCLEAN)
}

/// A text that comes in pieces, cleaned as if it had come in one. It keeps no more than
/// a line, or 16 KiB of one.
#[derive(Debug)]
pub struct Stream {
    detector: Arc<Detector>,
    line: String,
    within: Within,
}

/// What the next character belongs to.
#[derive(Debug)]
enum Within {
    Line,
    /// A private key, of which so many bytes have come.
    Key {
        bytes: usize,
        end: KeyEnd,
    },
    /// A run that is left out up to its end.
    Run,
}

impl Stream {
    /// A stream that a detector cleans.
    pub fn new(detector: Arc<Detector>) -> Self {
        Self { detector, line: String::new(), within: Within::Line }
    }

    /// Takes the next piece; answers what can be written now.
    pub fn push(&mut self, piece: &str) -> String {
        let mut out = String::with_capacity(piece.len());
        self.take(piece, &mut out);
        out
    }

    /// Answers what is left. The stream begins anew.
    pub fn finish(&mut self) -> String {
        let mut out = String::new();
        while self.take_key(&mut out) {}
        out.push_str(&clean_line(&self.line, &self.detector));
        self.line.clear();
        self.within = Within::Line;
        out
    }

    fn take(&mut self, piece: &str, out: &mut String) {
        for c in piece.chars() {
            match &mut self.within {
                Within::Run if !is_break(c) => continue,
                Within::Key { bytes, end } => {
                    *bytes += c.len_utf8();
                    if end.comes_with(c) || *bytes > LONGEST_KEY {
                        self.within = Within::Line;
                    }
                    continue;
                }
                Within::Run | Within::Line => self.within = Within::Line,
            }
            if c == '\n' {
                self.end_line(out);
            } else {
                if self.line.len() + c.len_utf8() > WINDOW {
                    self.break_line(out);
                    // It may belong to a key or a run by now.
                    self.take(c.encode_utf8(&mut [0; 4]), out);
                } else {
                    self.line.push(c);
                }
            }
        }
    }

    fn end_line(&mut self, out: &mut String) {
        if self.take_key(out) {
            // The line ended within the key, or goes on behind it.
            return self.take("\n", out);
        }
        out.push_str(&clean_line(&self.line, &self.detector));
        out.push('\n');
        self.line.clear();
    }

    /// Takes a private key out of the line; what follows it is taken anew.
    fn take_key(&mut self, out: &mut String) -> bool {
        let Some(at) = key_in(&self.line) else { return false };
        let key = self.line.split_off(at);
        self.line.push_str(SECRET);
        self.within = Within::Key { bytes: 0, end: KeyEnd::default() };
        self.take(&key, out);
        true
    }

    /// Makes room in a line that is too long.
    fn break_line(&mut self, out: &mut String) {
        if self.take_key(out) {
            return;
        }
        let found = find(&self.line, &self.detector);
        let is_free = |at: usize| {
            let next = found.partition_point(|(span, _)| span.end <= at);
            found.get(next).is_none_or(|(span, _)| span.start >= at)
        };
        let latest = self.line.floor_char_boundary(LATEST);
        let break_before = |end: usize, wanted: &dyn Fn(usize) -> bool| {
            let breaks = self.line[..end].char_indices().rev().filter(|(_, c)| is_break(*c));
            breaks.map(|(at, c)| at + c.len_utf8()).find(|at| wanted(*at))
        };
        let place = break_before(latest, &is_free).filter(|at| *at >= EARLIEST);
        let Some(place) = place else {
            let earliest = self.line.floor_char_boundary(EARLIEST);
            let begin = break_before(earliest, &|_| true).unwrap_or_default();
            let rest = self.line.split_off(latest);
            self.line.truncate(begin);
            self.line.push_str(DATA);
            self.within = Within::Run;
            return self.take(&rest, out);
        };
        // What is whole is taken out on both sides while the words around it are there.
        let (before, behind) = found.split_at(found.partition_point(|(it, _)| it.end <= place));
        let whole = behind.partition_point(|(span, _)| span.end <= WINDOW - MARGIN);
        let behind: Vec<_> = behind[..whole]
            .iter()
            .map(|(span, kind)| (span.start - place..span.end - place, *kind))
            .collect();
        let head = without(&self.line[..place], before, &self.detector);
        let tail = without(&self.line[place..], &behind, &self.detector);
        out.push_str(&clean_line(&head, &self.detector));
        out.push('\n');
        self.line = if tail.len() <= LATEST { tail } else { UNCLEAN.to_owned() };
    }
}

/// Behind which characters a line may be broken: nothing encoded goes on there.
fn is_break(c: char) -> bool {
    !c.is_ascii() || c.is_ascii_whitespace() || matches!(c, ',' | ';' | '>' | ')' | ']' | '}' | '|')
}

/// Watches for the end of a private key (RFC 7468): `-----END `, then dashes.
#[derive(Debug, Default)]
struct KeyEnd {
    /// Characters of `-----END ` that have come.
    begun: usize,
    /// Dashes behind it.
    dashes: usize,
}

impl KeyEnd {
    const BEGINS: &[u8] = b"-----END ";

    fn comes_with(&mut self, c: char) -> bool {
        if self.begun == Self::BEGINS.len() {
            self.dashes = if c == '-' { self.dashes + 1 } else { 0 };
            return self.dashes == 5;
        }
        let next = char::from(Self::BEGINS[self.begun]);
        self.begun = match c {
            _ if c == next => self.begun + 1,
            '-' if self.begun == 5 => 5,
            '-' => 1,
            _ => 0,
        };
        false
    }
}
