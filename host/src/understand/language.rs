//! Which language a message is written in.

/// `zh` if Chinese characters outnumber words in other scripts, otherwise `en`,
/// as BCP 47 tags. Japanese has Chinese characters too, but never long without
/// kana.
pub fn language(text: &str) -> &'static str {
    let mut han = 0_usize;
    let mut words = 0_usize;
    let mut in_word = false;
    for c in text.chars() {
        let unspaced = super::words::is_unspaced(c);
        if ('\u{3040}'..='\u{30ff}').contains(&c) {
            return "en";
        }
        let in_next = c.is_alphabetic() && !unspaced;
        words += usize::from(in_next && !in_word);
        in_word = in_next;
        han += usize::from(unspaced);
    }
    if han > words { "zh" } else { "en" }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chinese_with_a_brand_in_it_is_chinese_and_english_with_a_name_is_not() {
        assert_eq!(language("我的 iPhone 订单 #W1234567 到哪了"), "zh");
        assert_eq!(language("my name is 王小明 and I want a refund"), "en");
        assert_eq!(language("注文はどこですか"), "en");
        assert_eq!(language(""), "en");
    }
}
