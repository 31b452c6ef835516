//! What makes a name with points in it the name of a host.

/// Ends of names that are no words, no abbreviations and no kinds of files.
const CLEAR: &[&str] = &[
    "ae", "ai", "ar", "au", "bd", "bg", "biz", "br", "ca", "ch", "cl", "cn", "co", "com", "cz",
    "de", "dev", "dk", "edu", "ee", "eg", "es", "eu", "fi", "fr", "gov", "gr", "hk", "hu", "icu",
    "ie", "il", "info", "io", "ir", "jp", "ke", "kr", "kz", "lk", "lt", "lu", "lv", "mil", "mobi",
    "mx", "ng", "nl", "np", "nz", "org", "net", "ph", "pk", "pl", "pt", "ro", "ru", "sa", "se",
    "sg", "si", "sk", "tech", "th", "tr", "tv", "tw", "ua", "uk", "vn", "xyz", "za",
];

/// Ends that are also words, abbreviations or kinds of files: a name with one of them
/// needs something more.
const UNCLEAR: &[&str] = &[
    "ac",
    "academy",
    "ad",
    "af",
    "ag",
    "agency",
    "al",
    "am",
    "app",
    "art",
    "as",
    "asia",
    "at",
    "auto",
    "az",
    "ba",
    "bank",
    "bar",
    "be",
    "bet",
    "bh",
    "bi",
    "bike",
    "blog",
    "by",
    "bz",
    "cafe",
    "care",
    "cash",
    "cat",
    "cc",
    "center",
    "chat",
    "click",
    "cloud",
    "club",
    "company",
    "cool",
    "credit",
    "cy",
    "deals",
    "design",
    "digital",
    "direct",
    "do",
    "dz",
    "ec",
    "email",
    "et",
    "events",
    "expert",
    "express",
    "fashion",
    "finance",
    "fit",
    "fo",
    "fun",
    "fund",
    "fyi",
    "ga",
    "game",
    "games",
    "ge",
    "gg",
    "gh",
    "gi",
    "gift",
    "gifts",
    "gl",
    "global",
    "group",
    "gt",
    "guide",
    "guru",
    "health",
    "help",
    "hn",
    "host",
    "hotel",
    "house",
    "hr",
    "id",
    "im",
    "in",
    "int",
    "iq",
    "is",
    "it",
    "je",
    "jo",
    "jobs",
    "kg",
    "kh",
    "kw",
    "la",
    "land",
    "law",
    "lb",
    "legal",
    "li",
    "life",
    "link",
    "live",
    "ltd",
    "ly",
    "ma",
    "market",
    "marketing",
    "md",
    "me",
    "media",
    "mg",
    "mk",
    "mm",
    "mn",
    "mo",
    "money",
    "mt",
    "mu",
    "mv",
    "my",
    "name",
    "network",
    "news",
    "ni",
    "no",
    "om",
    "one",
    "online",
    "pa",
    "page",
    "party",
    "pe",
    "photos",
    "pizza",
    "plus",
    "pm",
    "pr",
    "press",
    "pro",
    "ps",
    "pub",
    "py",
    "qa",
    "re",
    "rent",
    "review",
    "reviews",
    "rip",
    "rocks",
    "rs",
    "sale",
    "sc",
    "school",
    "sd",
    "services",
    "sh",
    "shop",
    "site",
    "sn",
    "so",
    "social",
    "solutions",
    "space",
    "st",
    "store",
    "studio",
    "style",
    "su",
    "support",
    "sv",
    "sx",
    "systems",
    "taxi",
    "team",
    "tel",
    "tips",
    "tk",
    "tl",
    "tm",
    "tn",
    "to",
    "today",
    "tools",
    "top",
    "tours",
    "town",
    "toys",
    "travel",
    "tz",
    "ug",
    "us",
    "uy",
    "uz",
    "vc",
    "ve",
    "vg",
    "video",
    "vip",
    "vu",
    "wang",
    "watch",
    "website",
    "wiki",
    "win",
    "work",
    "works",
    "world",
    "ws",
    "wtf",
    "yoga",
    "zone",
];

/// Labels that stand before the end in the names of many countries.
const SECOND: &[&str] = &["ac", "co", "com", "edu", "go", "gob", "gov", "ne", "net", "or", "org"];

/// Ends that are no names of countries or trades: RFC 2606, and networks of one's own.
const RESERVED: &[&str] = &["example", "invalid", "local", "localdomain", "test"];

/// Whether domains are known to end with this label.
pub(in crate::personal) fn is_top_level(label: &str) -> bool {
    let lists = [CLEAR, UNCLEAR, RESERVED];
    lists.iter().any(|list| list.iter().any(|top| top.eq_ignore_ascii_case(label)))
}

/// Whether this is the name of a host, rather than words without a space between them, a
/// file, or a number.
pub(super) fn is_name(name: &str, has_path: bool) -> bool {
    let mut labels = name.rsplit('.');
    let (Some(top), Some(second)) = (labels.next(), labels.next()) else { return false };
    let is_label = |label: &str| {
        (1..=63).contains(&label.len()) && !label.starts_with('-') && !label.ends_with('-')
    };
    let is_upper = name.bytes().all(|byte| !byte.is_ascii_lowercase());
    let lower = top.to_ascii_lowercase();
    if !name.split('.').all(is_label) || top != lower && !is_upper {
        return false;
    }
    let known = |list: &[&str]| list.contains(&lower.as_str());
    let is_www = name.get(..4).is_some_and(|www| www.eq_ignore_ascii_case("www."));
    let more = is_www && labels.next().is_some()
        || has_path
        || SECOND.contains(&second) && name.split('.').count() > 2;
    let has_letter = second.bytes().any(|byte| byte.is_ascii_alphabetic());
    if known(CLEAR) {
        // `e.g`, and numbers before what only looks like an end.
        let is_generic = lower.len() > 2 || lower == "cn";
        is_generic || more || has_letter && second.len() > 1
    } else {
        known(UNCLEAR) && more && has_letter
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_and_files_need_more_than_an_end() {
        for name in ["x.com", "www.ab.it", "amazon.co.uk", "163.com", "EXAMPLE.COM"] {
            assert!(is_name(name, false), "{name}");
        }
        for name in ["arrived.it", "main.rs", "e.g", "10.de", "hello.Com", "-a.com", "a..com"] {
            assert!(!is_name(name, false), "{name}");
        }
        assert!(is_name("bit.ly", true));
    }
}
