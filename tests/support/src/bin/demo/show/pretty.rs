//! Events for people.

use std::fmt::Write as _;

use super::Event;

/// Width of a line of an answer.
const WIDTH: usize = 78;

/// Writes events, in colour or not.
#[derive(Debug)]
pub(crate) struct Pen {
    colour: bool,
}

#[derive(Clone, Copy)]
enum Ink {
    Bold,
    Dim,
    Green,
    Red,
    Yellow,
    Cyan,
}

impl Pen {
    pub(super) const fn new(colour: bool) -> Self {
        Self { colour }
    }

    fn ink(&self, ink: Ink, text: impl AsRef<str>) -> String {
        let text = text.as_ref();
        if !self.colour {
            return text.to_owned();
        }
        // ECMA-48, "select graphic rendition".
        let code = match ink {
            Ink::Bold => "1",
            Ink::Dim => "2",
            Ink::Red => "31",
            Ink::Green => "32",
            Ink::Yellow => "33",
            Ink::Cyan => "36",
        };
        format!("\u{1b}[{code}m{text}\u{1b}[0m")
    }

    /// An event as lines of text.
    pub(super) fn text(&self, event: &Event<'_>) -> String {
        match event {
            Event::Preparing { what } => self.ink(Ink::Dim, format!("{what} …\n")),
            Event::Scene { number, title, place } => {
                let head = format!("── {number}. {place}: {title} ");
                let rule = "─".repeat((WIDTH + 12).saturating_sub(head.chars().count()));
                format!("\n{}\n", self.ink(Ink::Bold, head + &rule))
            }
            Event::Customer { text } => {
                format!("\n{}\n", self.labelled("customer", &self.paragraph(text, Ink::Bold)))
            }
            Event::Approval { reason } => {
                format!("\n{}\n", self.labelled("approver", &self.paragraph(reason, Ink::Bold)))
            }
            Event::Acknowledged { statuses } => {
                let statuses: Vec<_> = statuses.iter().map(u16::to_string).collect();
                self.detail("webhook", &format!("answered with {}", statuses.join(" and ")))
            }
            Event::Intent { name, probability, in_scope } => {
                let percent = probability * 100.0;
                if *in_scope {
                    self.detail("intent", &format!("{name}, {percent:.0} %"))
                } else {
                    self.detail("intent", &format!("none ({name} comes nearest, {percent:.0} %)"))
                }
            }
            Event::Tool { skill, version, tool, came_to } => {
                let skill = self.ink(Ink::Cyan, format!("{skill}@{version}"));
                self.detail("skill", &format!("{skill} {tool} → {came_to}"))
            }
            Event::Call { action, on, decision, rules, failure } => {
                let ink = if *decision == "allow" { Ink::Green } else { Ink::Red };
                let rules = self.ink(Ink::Dim, format!("[{}]", rules.join(", ")));
                let decision = self.ink(ink, decision);
                let failure = failure.map(|why| format!(", but: {}", self.ink(Ink::Yellow, why)));
                let failure = failure.unwrap_or_default();
                self.detail("call", &format!("{action} {on}  {decision} {rules}{failure}"))
            }
            Event::Answer { text, after_ms } => {
                let took = self.ink(Ink::Dim, format!("({after_ms} ms)"));
                format!("{} {took}\n", self.labelled("answer", &self.paragraph(text, Ink::Green)))
            }
            Event::Ticket { id, subject, status, priority, queue, reason } => {
                let short = id.get(..12).unwrap_or(id);
                let mut line = format!("{short} “{subject}” {status}, {priority}");
                for (name, value) in [("queue", queue), ("reason", reason)] {
                    if let Some(value) = value {
                        // Writing to a text cannot fail.
                        let _ = write!(line, ", {name} {value}");
                    }
                }
                self.detail("ticket", &line)
            }
            Event::Expectation { claim, held: true } => {
                format!("            {} {}\n", self.ink(Ink::Green, "✓"), self.ink(Ink::Dim, claim))
            }
            Event::Expectation { claim, held: false } => {
                let line = self.ink(Ink::Red, format!("✗ expected, but not so: {claim}"));
                format!("            {line}\n")
            }
            Event::Trouble { text } => {
                format!("  {}\n", self.ink(Ink::Red, format!("trouble   {text}")))
            }
            Event::Note { text } => format!("{}\n", self.ink(Ink::Yellow, text)),
            Event::Finished { conversations, expectations, missed } => {
                self.finished(*conversations, *expectations, missed)
            }
            Event::Running { chat_page, operator_page, operator_token, data } => format!(
                "\nThe host goes on until you press Ctrl-C.\n  \
                 web chat page   {}\n  operator page   {}\n  operator token  {operator_token}\n  \
                 data folder     {data}\n",
                self.ink(Ink::Cyan, chat_page),
                self.ink(Ink::Cyan, operator_page),
            ),
        }
    }

    fn finished(&self, conversations: usize, expectations: usize, missed: &[String]) -> String {
        let held = expectations - missed.len();
        let line =
            format!("{conversations} conversations, {held} of {expectations} expectations held");
        let ink = if missed.is_empty() { Ink::Green } else { Ink::Red };
        let mut text = format!("\n{}\n", self.ink(ink, line));
        for miss in missed {
            let _ = writeln!(text, "  {} {miss}", self.ink(Ink::Red, "✗"));
        }
        text
    }

    fn labelled(&self, label: &str, text: &str) -> String {
        format!("  {} {text}", self.ink(Ink::Bold, format!("{label:<9}")))
    }

    fn detail(&self, label: &str, text: &str) -> String {
        format!("    {} {text}\n", self.ink(Ink::Dim, format!("{label:<7}")))
    }

    /// A text broken into lines that stand below one another.
    fn paragraph(&self, text: &str, ink: Ink) -> String {
        let mut paragraph = String::new();
        for line in text.lines().flat_map(|line| wrapped(line, WIDTH)) {
            if !paragraph.is_empty() {
                paragraph.push('\n');
                // An empty line stays empty.
                paragraph.push_str(if line.is_empty() { "" } else { "            " });
            }
            if !line.is_empty() {
                paragraph.push_str(&self.ink(ink, line));
            }
        }
        paragraph
    }
}

/// A line cut between words where it is too long.
fn wrapped(line: &str, width: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    let mut used = 0;
    for word in line.split(' ') {
        let long = word.chars().count();
        if used > 0 && used + 1 + long > width {
            lines.push(String::new());
            used = 0;
        }
        if let Some(last) = lines.last_mut() {
            if used > 0 {
                last.push(' ');
                used += 1;
            }
            last.push_str(word);
            used += long;
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colour_is_left_out_where_it_is_not_wanted() {
        let missed = ["conversation 1".to_owned()];
        let event = Event::Finished { conversations: 1, expectations: 2, missed: &missed };
        let plain = Pen::new(false).text(&event);
        assert_eq!(plain, "\n1 conversations, 1 of 2 expectations held\n  ✗ conversation 1\n");
        assert!(Pen::new(true).text(&event).contains("\u{1b}[31m"));
    }

    #[test]
    fn long_lines_are_cut_between_words() {
        assert_eq!(wrapped("one two three four", 7), ["one two", "three", "four"]);
        assert_eq!(wrapped("", 7), [""]);
        assert_eq!(wrapped("extraordinarily long", 7), ["extraordinarily", "long"]);
    }
}
