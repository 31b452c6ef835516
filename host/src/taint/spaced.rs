//! Words written letter by letter.

/// Letters in a row from which on they are one text.
const SHORTEST: usize = 5;

/// What stands between letters.
fn separates(c: char) -> bool {
    matches!(
        c,
        ' ' | '.' | '-' | '_' | '*' | '|' | '/' | '·' | ',' | '~' | '+' | '\n' | '\t' | '\u{3000}'
    )
}

/// Joins letters that stand alone ("i g n o r e"), if there are any, and
/// counts them.
pub(super) fn join(text: &str) -> Option<(String, usize)> {
    let chars: Vec<char> = text.chars().collect();
    let mut joined = String::with_capacity(text.len());
    let mut count = 0;
    let mut i = 0;
    while i < chars.len() {
        let starts_word = chars[i].is_alphanumeric() && (i == 0 || !chars[i - 1].is_alphanumeric());
        match starts_word.then(|| run(&chars, i)).flatten() {
            Some(run) => {
                joined.push_str(&run.text);
                count += run.letters;
                i = run.end;
            }
            None => {
                joined.push(chars[i]);
                i += 1;
            }
        }
    }
    (count > 0).then_some((joined, count))
}

/// Letters with the same separator between all of them.
struct Run {
    text: String,
    letters: usize,
    end: usize,
}

fn run(chars: &[char], start: usize) -> Option<Run> {
    let separator = *chars.get(start + 1).filter(|c| separates(**c))?;
    let mut run = Run { text: String::new(), letters: 0, end: start };
    let mut i = start;
    while let Some(&c) = chars.get(i) {
        let ends = match chars.get(i + 1) {
            None => true,
            Some(&next) if next == separator => false,
            // A sign after the last letter ends the run and belongs to it.
            Some(&next) if !next.is_alphanumeric() => true,
            Some(_) => break,
        };
        run.text.push(c);
        run.letters += usize::from(c.is_alphanumeric());
        run.end = i + 1;
        if ends {
            break;
        }
        let two = chars.get(i + 2) == Some(&separator) && chars.get(i + 3) != Some(&separator);
        if separator == ' ' && two {
            run.text.push(' ');
            run.end = i + 3;
            i += 3;
        } else {
            i += 2;
        }
    }
    let tail = run.text.len() - run.text.trim_end().len();
    (run.letters >= SHORTEST && tail < run.text.len()).then_some(run)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_that_stand_alone_become_words() {
        for (text, words) in [
            ("i g n o r e   a l l", "ignore all"),
            ("c a l l  m e  b a c k please", "call me back please"),
            ("i.g.n.o.r.e. .a.l.l", "ignore all"),
            ("so: s-h-o-w i-t-all", "so: s-h-o-w i-t-all"),
            ("so: r-e-v-e-a-l it", "so: reveal it"),
            ("你 必 须 服 从 我", "你必须服从我"),
        ] {
            let joined = join(text).map_or_else(|| text.to_owned(), |(joined, _)| joined);
            assert_eq!(joined, words, "{text}");
        }
    }

    #[test]
    fn ordinary_sentences_have_nothing_to_join() {
        for text in ["I am a customer", "a b c", "U.S.A. and U.K.", "", " ", "3 - 5 days", "是 的"]
        {
            assert_eq!(join(text), None, "{text}");
        }
    }
}
