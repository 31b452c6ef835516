//! Names and addresses where a field says so: free text has no sure sign of them.

use super::{Scan, keywords::Keyword};
use crate::personal::DataKind;

/// What a field holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Field {
    /// The name of somebody or something: only a person's counts.
    Anything,
    /// The name of a person.
    Name,
    /// A postal address.
    Address,
}

/// Bytes of a name and of an address.
const LONGEST_NAME: usize = 80;
const LONGEST_ADDRESS: usize = 240;

/// Reads the value of a field: `"name":"…"`, `name=…`, `收货人:…`.
pub(super) fn read(scan: &mut Scan<'_>, keyword: &Keyword, field: Field) {
    let rest = &scan.text[keyword.end..];
    let open = rest.strip_prefix(['"', '\'']).unwrap_or(rest).trim_start_matches(' ');
    let Some(value) = open.strip_prefix([':', '=']) else { return };
    let value = value.trim_start_matches(' ');
    let quote = value.chars().next().filter(|c| matches!(c, '"' | '\''));
    let value = &value[quote.map_or(0, char::len_utf8)..];
    let start = scan.text.len() - value.len();
    let most = if field == Field::Address { LONGEST_ADDRESS } else { LONGEST_NAME };
    let is_assigned = open.starts_with('=') && quote.is_none();
    let is_end = |c: char| match quote {
        Some(quote) => c == quote || c == '\n',
        None => {
            c.is_control()
                || matches!(c, ';' | '。' | '，' | '；' | '<' | '>' | '|' | '"' | '&' | '{' | '}')
                || is_assigned && (c == ',' || c == ')' || c == ' ')
                || field != Field::Address && matches!(c, ',' | '.' | '、')
        }
    };
    let width = value
        .char_indices()
        .find(|(at, c)| *at + c.len_utf8() > most || is_end(*c))
        .map_or(value.len(), |(at, _)| at);
    let value = match (field, quote) {
        (Field::Address, None) => sentence(&value[..width]),
        (Field::Anything | Field::Name | Field::Address, _) => &value[..width],
    };
    let value = value.trim_end();
    // What stands in quotes is a value, whatever it says.
    if quote.is_none() && is_talk(value) {
        return;
    }
    let (kind, confidence) = match field {
        Field::Anything if is_person(value) => (DataKind::Name, 40),
        Field::Name if is_called(value) => (DataKind::Name, 60),
        Field::Address if is_postal(value) => (DataKind::Address, 60),
        Field::Anything | Field::Name | Field::Address => return,
    };
    scan.push(kind, start..start + value.len(), confidence);
}

/// The text up to where an address ends: at a full stop before a capital, unless it closes
/// a short word as in `12 St. James Rd. Leeds`, or at a comma before something else.
fn sentence(text: &str) -> &str {
    let is_end = |(at, sign): &(usize, &str)| {
        let word = text[..*at].rsplit([' ', ',']).next().unwrap_or_default();
        let rest = text[at + 1..].trim_start();
        match *sign {
            "." => {
                text[at + 1..].starts_with(' ')
                    && rest.starts_with(|c: char| c.is_uppercase())
                    && word.chars().count() > 4
            }
            _ => FURTHER.iter().any(|word| rest.starts_with(word)),
        }
    };
    text.match_indices(['.', ',']).find(is_end).map_or(text, |(at, _)| &text[..at])
}

/// What follows an address after a comma.
const FURTHER: &[&str] = &[
    "电话",
    "手机",
    "联系",
    "收货人",
    "收件人",
    "姓名",
    "邮编",
    "谢谢",
    "麻烦",
    "请",
    "電話",
    "聯絡",
    "phone",
    "tel",
    "email",
    "please",
    "thanks",
];

/// Words of talk about a delivery. Places have such words as well, with a number: lockers.
const TALK: &[&str] = &[
    "客服",
    "签收",
    "没收到",
    "收不到",
    "改过",
    "已经",
    "为什么",
    "怎么",
    "点击",
    "不对",
    "错了",
    "错误",
    "修改",
    "联系",
    "取消",
    "退款",
    "发货",
    "快递",
    "订单",
    "谢谢",
    "什么",
    "无法",
    "未知",
    "本人",
];

/// Verbs and the like of a sentence about an address, which come soon.
const PROSE: &[&str] = &[
    "are", "is", "was", "were", "not", "does", "doesn't", "don't", "wrong", "cannot", "can't",
    "should", "changed",
];
const SOON: usize = 5;

fn is_talk(value: &str) -> bool {
    let has_digit = value.bytes().any(|byte| byte.is_ascii_digit());
    let begins = value.starts_with(|c: char| c.is_ascii_digit());
    let mut soon = value.split([' ', ',', '.']).take(SOON);
    !has_digit && TALK.iter().any(|word| value.contains(word))
        || !begins && soon.any(|word| PROSE.contains(&word))
}

fn is_chinese(c: char) -> bool {
    ('\u{4e00}'..='\u{9fff}').contains(&c)
}

/// Two to four Chinese characters, or two to four words with capitals.
fn is_person(value: &str) -> bool {
    let chinese = (2..=4).contains(&value.chars().count()) && value.chars().all(is_chinese);
    let words: Vec<&str> = value.split(' ').collect();
    let is_word = |word: &&str| {
        word.chars().next().is_some_and(char::is_uppercase)
            && word.chars().all(|c| c.is_alphabetic() || matches!(c, '.' | '\'' | '-'))
    };
    chinese || (2..=4).contains(&words.len()) && words.iter().all(is_word)
}

/// What can be a name at all.
fn is_called(value: &str) -> bool {
    let words = value.split_whitespace().count();
    let is_part = |c: char| c.is_alphabetic() || matches!(c, ' ' | '.' | '\'' | '-' | '·');
    (1..=5).contains(&words)
        && value.chars().count() >= 2
        && value.chars().all(is_part)
        && (value.chars().any(is_chinese) || value.chars().any(char::is_uppercase))
}

/// What can be a postal address: a number and words, or enough Chinese.
fn is_postal(value: &str) -> bool {
    let chinese = value.chars().filter(|c| is_chinese(*c)).count();
    let words = value.split_whitespace().count();
    let has_digit = value.bytes().any(|byte| byte.is_ascii_digit());
    let has_letter = value.chars().any(char::is_alphabetic);
    let is_net = value.contains('@') || value.contains("://");
    !is_net && (chinese >= 6 || has_digit && has_letter && words >= 2 && value.len() >= 8)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::personal::words::tests::check;

    const NAME: DataKind = DataKind::Name;
    const ADDRESS: DataKind = DataKind::Address;

    #[test]
    fn fields_name_people_and_where_they_live() {
        check("收货人:王小明，电话", &[(NAME, "王小明")]);
        check(r#"{"full_name":"Ava Moore","x":1}"#, &[(NAME, "Ava Moore")]);
        check(r#"{"name": "Ava Moore"}"#, &[(NAME, "Ava Moore")]);
        check("customer_name=Ava, id=3", &[(NAME, "Ava")]);
        check("收货地址:杭州市西湖区文三路九十号，谢谢", &[(ADDRESS, "杭州市西湖区文三路九十号")]);
        check(
            "ship to: 12 St. James Road, London. Please cancel order 12345",
            &[(ADDRESS, "12 St. James Road, London")],
        );
        check(
            "收货地址:北京市朝阳区建国路88号快递柜,电话13800138000",
            &[(ADDRESS, "北京市朝阳区建国路88号快递柜")],
        );
        check("ship to: 12 elm street, leeds, please", &[(ADDRESS, "12 elm street, leeds")]);
        check("收貨人:王小明，電話", &[(NAME, "王小明")]);
        check("ship to: 12 Elm Street, Springfield", &[(ADDRESS, "12 Elm Street, Springfield")]);
    }

    #[test]
    fn names_of_things_and_talk_of_addresses_are_left() {
        for text in [
            r#"{"name":"crm-lookup"}"#,
            "name=order_status",
            "my address: it changed",
            "收货人:<NAME_1.k3f9>",
            "地址:[ADDRESS]",
            "what is your name?",
            "the recipient is wrong",
            "邮箱地址:我已经改过了没收到",
            "链接地址:点击进入会员中心页面",
            "address: the 2 lines are not shown",
            "联系人:客服",
            "收货人:已签收",
            "Product name: Gold Plus",
        ] {
            check(text, &[]);
        }
    }
}
