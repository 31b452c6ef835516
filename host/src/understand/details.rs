//! Names and postcodes, in a message that answers the question for them.

use std::{collections::HashSet, fmt, ops::Range, sync::LazyLock};

use regex::Regex;
use unicode_normalization::UnicodeNormalization;

use postern_policy::personal::{Folded, email};

use super::postcode::{self, normal_postcode};

/// A longer message tells a story.
const MAX_BYTES: usize = 400;
/// Most words of a name.
const MAX_WORDS: usize = 6;

/// A part of an answer. Its `Debug` form does not show the value.
#[derive(Clone, PartialEq, Eq)]
pub struct Piece {
    /// Its first byte.
    pub start: usize,
    /// The byte after its last.
    pub end: usize,
    /// A name as it is written, or a postcode in normal form.
    pub value: String,
}

impl fmt::Debug for Piece {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Piece({}..{}: [redacted])", self.start, self.end)
    }
}

/// What an answer says about who is writing; at least one part is there.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Details {
    /// The given names.
    pub first_name: Option<Piece>,
    /// The family name, with what belongs to it: `de la Cruz`.
    pub last_name: Option<Piece>,
    /// The postcode.
    pub postcode: Option<Piece>,
}

impl Details {
    /// Both names with a space between them.
    pub fn full_name(&self) -> Option<String> {
        let (first, last) = (self.first_name.as_ref()?, self.last_name.as_ref()?);
        Some(format!("{} {}", first.value, last.value))
    }
}

/// Reads the answer to "what are your name and postcode?". To be asked only
/// after that question: any two words can be a name.
///
/// A name without "my name is" or the like needs two words or more, none of
/// them an ordinary word in lower case; Chinese names need a common surname.
pub fn extract_details(text: &str) -> Option<Details> {
    if text.len() > MAX_BYTES {
        return None;
    }
    let folded = Folded::new(text);
    let mut read = folded.text().to_owned();
    for range in email::find(folded.text()) {
        blank(&mut read, range);
    }
    let postcode = postcode::find(&read);
    if let Some(found) = &postcode {
        blank(&mut read, found.whole.clone());
    }
    let piece = |part: Range<usize>| {
        let value: String = folded.text()[part.clone()].nfc().collect();
        let Range { start, end } = folded.origin(part);
        Piece { start, end, value: value.split_whitespace().collect::<Vec<_>>().join(" ") }
    };
    let (first, last) = match names(&read) {
        Some((first, last)) => (Some(first), last),
        None => (None, None),
    };
    let details = Details {
        first_name: first.map(piece),
        last_name: last.map(piece),
        postcode: postcode.map(|found| {
            let mut piece = piece(found.code);
            piece.value = normal_postcode(&piece.value);
            piece
        }),
    };
    (details != Details::default()).then_some(details)
}

type Names = (Range<usize>, Option<Range<usize>>);

fn names(text: &str) -> Option<Names> {
    labelled(text).or_else(|| chinese(text)).or_else(|| announced(text)).or_else(|| bare(text))
}

/// Puts a mark that ends a name, as a comma does, over what has been read.
fn blank(text: &mut String, range: Range<usize>) {
    text.replace_range(range.clone(), &";".repeat(range.len()));
}

const WORD: &str = r"\p{L}[\p{L}\p{M}'.\-]{0,39}";

/// "First name: Ava, last name: Moore".
fn labelled(text: &str) -> Option<Names> {
    static FIRST: LazyLock<Regex> =
        LazyLock::new(|| compile(&format!(r"(?:first|given|fore) ?name(?: is|:|=)?[ :]*({WORD})")));
    static LAST: LazyLock<Regex> = LazyLock::new(|| {
        compile(&format!(
            r"(?:(?:last|family|second) ?name|surname)(?: is|:|=)?[ :]*({WORD}(?: {WORD}){{0,2}})"
        ))
    });
    let first = FIRST.captures(text)?.get(1)?.range();
    let last = LAST.captures(text).and_then(|found| {
        let words = words(text, found.get(1)?.range());
        let count = words.iter().take_while(|word| is_name(text, word)).count();
        Some(words.first()?.start..words[..count].last()?.end)
    });
    Some((first, last))
}

/// "My name is Ava Moore", "I'm Mei-Ling O'Neil and …".
fn announced(text: &str) -> Option<Names> {
    static SURE: LazyLock<Regex> = LazyLock::new(|| {
        compile(
            r"(?-u:\b)(?:(?:full )?name(?:'s| is|:|=)?|i am called|call me)[ :]+|(?:我叫|我是|姓名|名字)[是为叫]?[ :]*",
        )
    });
    static MAYBE: LazyLock<Regex> = LazyLock::new(|| {
        compile(r"(?-u:\b)(?:i am|i'm|im|this is|it is|it's|its|here is|here's)[ :]+")
    });
    let after = |pattern: &Regex| {
        let start = pattern.find(text)?.end();
        let clause = text[start..].split([',', ';', '\n', '|', '!', '?', '(']).next()?;
        let words = words(text, start..start + clause.len());
        let count = words.iter().take_while(|word| is_name(text, word)).count();
        (count <= MAX_WORDS).then(|| words[..count].to_vec())
    };
    if let Some(names) = after(&SURE).and_then(|words| split(text, &words)) {
        return Some(names);
    }
    let words = after(&MAYBE)?;
    let is_sure = words.len() > 1 || words.iter().all(|word| is_capitalised(&text[word.clone()]));
    is_sure.then(|| split(text, &words)).flatten()
}

/// "Yusuf Rossi", "yes, Yusuf Rossi and", "Yusuf, Rossi".
fn bare(text: &str) -> Option<Names> {
    let all = words(text, 0..text.len());
    let is_filler =
        |word: &&Range<usize>| FILLERS.contains(text[(*word).clone()].to_lowercase().as_str());
    let front = all.iter().take_while(is_filler).count();
    let words = &all[front..];
    let back = words.iter().rev().take_while(is_filler).count();
    let words = &words[..words.len() - back];
    let digits = text.chars().any(|c| c.is_ascii_digit());
    let names = !digits && (2..=MAX_WORDS).contains(&words.len());
    (names && words.iter().all(|word| is_name(text, word))).then(|| split(text, words)).flatten()
}

/// 我叫王小明, 姓名：欧阳修: the family name stands first.
fn chinese(text: &str) -> Option<Names> {
    static NAME: LazyLock<Regex> = LazyLock::new(|| {
        compile(
            r"(?:^|[\s,;。:、]|我叫|我是|姓名(?:是|为|叫)?|名字(?:是|为|叫)?)[\s:]*(\p{Han}{2,4})(?:$|[\s,;。!、])",
        )
    });
    NAME.captures_iter(text).filter_map(|found| found.get(1)).find_map(|found| {
        let name = found.as_str();
        if NOT_CHINESE_NAMES.split(' ').any(|word| name.starts_with(word)) {
            return None;
        }
        let long = COMPOUND_SURNAMES.split(' ').find(|surname| name.starts_with(surname));
        let short = name.chars().next().filter(|c| SURNAMES.contains(*c));
        let last = long.map(str::len).or(short.map(char::len_utf8))?;
        let (start, end) = (found.start(), found.end());
        (start + last < end).then(|| (start + last..end, Some(start..start + last)))
    })
}

/// Given names are all but the last word and the particles before it.
fn split(text: &str, words: &[Range<usize>]) -> Option<Names> {
    let (first, rest) = words.split_first()?;
    let Some((last, middle)) = rest.split_last() else { return Some((first.clone(), None)) };
    let particles = middle
        .iter()
        .rposition(|word| !PARTICLES.contains(text[word.clone()].to_lowercase().as_str()))
        .map_or(0, |place| place + 1);
    let given = middle[..particles].last().unwrap_or(first).end;
    let family = middle[particles..].first().unwrap_or(last).start;
    Some((first.start..given, Some(family..last.end)))
}

fn words(text: &str, part: Range<usize>) -> Vec<Range<usize>> {
    static ANY: LazyLock<Regex> = LazyLock::new(|| compile(WORD));
    ANY.find_iter(&text[part.clone()])
        .map(|word| {
            // A full stop ends a sentence, except after an initial.
            let short = word.as_str().trim_end_matches(['.', '-', '\'']);
            let initial = short.chars().count() == 1 && word.as_str().ends_with('.');
            let len = if initial { short.len() + 1 } else { short.len() };
            part.start + word.start()..part.start + word.start() + len
        })
        .collect()
}

fn is_name(text: &str, word: &Range<usize>) -> bool {
    let word = &text[word.clone()];
    let lower = word.to_lowercase();
    let ordinary = FILLERS.contains(lower.as_str())
        || NEVER.contains(lower.as_str())
        || ORDINARY.contains(lower.as_str()) && !is_capitalised(word);
    !ordinary && !word.chars().any(super::words::is_unspaced)
}

fn is_capitalised(word: &str) -> bool {
    word.starts_with(char::is_uppercase)
}

fn compile(pattern: &str) -> Regex {
    Regex::new(&format!("(?i){pattern}")).expect("the pattern is constant and tested")
}

fn set(words: &'static str) -> HashSet<&'static str> {
    words.split(' ').collect()
}

/// Words that may stand round a name in an answer.
static FILLERS: LazyLock<HashSet<&str>> = LazyLock::new(|| {
    set(
        "and with my the is are a of it it's its im i'm i am this here here's sure ok okay yes yep yeah hi hello hey please thanks thank you name name's names zip code zipcode postcode postal post full first last surname mr mrs ms dr sir madam from in at",
    )
});
/// Words that are no name however they are written.
static NEVER: LazyLock<HashSet<&str>> = LazyLock::new(|| {
    set(
        "what where when why who which how no nope not never don't dont do does did can can't cannot could would should want wanna need have has had was were been being i'd i've i'll if but or because that these those there they them he she we us our your me to for on off by an any some something nothing",
    )
});
/// Words that are hardly a name in lower case.
static ORDINARY: LazyLock<HashSet<&str>> = LazyLock::new(|| {
    set(
        "order orders refund money back parcel package tracking track shipment delivery status help human agent person manager talk speak call email e-mail address phone number account card payment item product return cancel exchange still waiting looking trying going asking calling writing getting angry upset sorry sure really very just already again now today yesterday tomorrow late lost broken wrong same good bad great fine right know remember forgot tell say said give gave get got send sent come came check change find found new old customer service question problem issue about after before than then also only all none nobody anything stop wait later maybe privacy private information details necessary required will may mark",
    )
});
static PARTICLES: LazyLock<HashSet<&str>> = LazyLock::new(|| {
    set(
        "de del della di da das do dos du la le van von der den ten ter zu bin ibn al el st st. mac y e",
    )
});
/// The hundred or so most frequent ones cover most people.
const SURNAMES: &str = "王李张刘陈杨黄赵吴周徐孙马朱胡郭何林罗高郑梁谢宋唐许韩邓冯曹彭曾肖田董潘袁蔡蒋余于杜叶程魏苏吕丁任卢姚沈钟姜崔谭陆范汪廖石金韦贾夏付方邹熊白孟秦邱侯江尹薛闫雷段龙黎史陶贺毛郝顾龚邵万覃武钱戴严莫孔向汤温康施文牛樊葛邢安齐易乔伍庞颜倪庄聂章鲁岳翟殷詹申欧耿关兰焦俞左柳甘祝包宁尚符舒阮柯纪梅童凌毕单季裴霍涂成苗谷盛曲翁冉骆蓝路游辛靳管柴蒙鲍华喻祁蒲房滕屈饶解牟艾尤阳时穆农司卓古吉缪简车项连芦麦褚娄窦戚岑景党宫费卜冷晏席卫米柏宗瞿桂全佟应臧闵苟邬边卞姬师和仇栾隋商刁沙荣巫寇桑郎甄丛仲虞敖巩明佘池查麻苑迟邝张";
/// Words that begin like a surname.
const NOT_CHINESE_NAMES: &str = "谢谢 方便 时间 时候 简单 明白 高兴 全部 任何 包裹 温馨 常见 应该 金额 马上 何时 应当 关于 查询 查看 项目 单号 万一 和你";
const COMPOUND_SURNAMES: &str =
    "欧阳 司马 上官 诸葛 东方 皇甫 尉迟 公孙 慕容 司徒 夏侯 令狐 南宫 长孙 宇文 轩辕 端木 独孤";

#[cfg(test)]
mod tests;
