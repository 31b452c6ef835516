//! Words that announce something, and what secrets begin with: found in one pass.

use std::sync::LazyLock;

use aho_corasick::{AhoCorasick, AhoCorasickKind, MatchKind};

use super::{after, announced::Said, before, fields::Field, secret};

/// What a word says about what stands near it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sense {
    /// A secret begins here: one of the [`secret::SHAPES`].
    Prefix(usize),
    /// A password or key follows.
    Secret(Said),
    /// The first line of a private key.
    PrivateKey,
    /// A field with a name or an address.
    Field(Field),
    /// A field with the name of a thing.
    Thing,
    /// A date near it is one of birth.
    Birth,
    /// A number near it is that of a driver's licence.
    Licence,
    /// A number near it is that of another licence or of a car.
    Permission,
}

/// A word of the text.
#[derive(Clone, Copy, Debug)]
pub(super) struct Keyword {
    pub(super) start: usize,
    pub(super) end: usize,
    pub(super) sense: Sense,
}

const WORDS: &[(Sense, &[&str])] = &[
    (
        Sense::Secret(Said::Password),
        &[
            "password",
            "passwords",
            "passwd",
            "passphrase",
            "passcode",
            "pwd",
            "contraseña",
            "mot de passe",
            "passwort",
            "kennwort",
            "wachtwoord",
            "senha",
            "hasło",
            "şifre",
            "parola",
            "пароль",
            "Пароль",
            "パスワード",
            "비밀번호",
            "كلمة المرور",
            "密码",
            "密碼",
            "口令",
        ],
    ),
    (Sense::Secret(Said::Pass), &["pass", "pw", "clave"]),
    (Sense::Secret(Said::Pin), &["pin", "pin code", "pin number"]),
    (Sense::Secret(Said::Key), &["secret", "client_secret", "client-secret", "signature", "sig"]),
    (
        Sense::Secret(Said::Token),
        &[
            "api key",
            "api_key",
            "api-key",
            "apikey",
            "secret key",
            "secret_key",
            "secret-key",
            "secretkey",
            "access key",
            "access_key",
            "accesskey",
            "access-key",
            "access token",
            "access_token",
            "access-token",
            "accesstoken",
            "auth token",
            "auth_token",
            "auth-token",
            "authtoken",
            "refresh_token",
            "refresh-token",
            "id_token",
            "token",
            "private_key",
            "private key",
            "encryption_key",
            "encryption key",
            "密钥",
            "密鑰",
            "令牌",
            "秘钥",
        ],
    ),
    (Sense::Secret(Said::Bearer), &["bearer "]),
    (Sense::Secret(Said::Basic), &["basic "]),
    (Sense::PrivateKey, &["-----begin "]),
    (
        Sense::Birth,
        &[
            "born",
            "birth",
            "birthdate",
            "birthday",
            "birth_date",
            "birth_day",
            "bday",
            "dob",
            "d.o.b",
            "date_of_birth",
            "dateofbirth",
            "geboren",
            "生日",
            "出生",
            "生于",
        ],
    ),
    (
        Sense::Licence,
        &[
            "license",
            "licence",
            "lic",
            "dl",
            "cdl",
            "dls",
            "driver's permit",
            "driving permit",
            "driver permit",
            "driver_license",
            "drivers_license",
            "driver_licence",
            "驾照",
            "驾驶证",
        ],
    ),
    (
        Sense::Permission,
        &[
            "license plate",
            "licence plate",
            "license key",
            "licence key",
            "software license",
            "software licence",
            "business license",
            "business licence",
            "windows license",
            "windows licence",
            "office license",
            "office licence",
            "fishing license",
            "fishing licence",
            "marriage license",
            "tv licence",
        ],
    ),
    // Things have a name as people do.
    (
        Sense::Thing,
        &[
            "product name",
            "product_name",
            "item name",
            "item_name",
            "file name",
            "file_name",
            "host name",
            "plan name",
            "plan_name",
            "brand name",
            "shop name",
            "store name",
            "company name",
            "company_name",
            "display name",
            "event name",
            "app name",
        ],
    ),
    (Sense::Field(Field::Anything), &["name"]),
    (
        Sense::Field(Field::Name),
        &[
            "full_name",
            "fullname",
            "full name",
            "first_name",
            "firstname",
            "first name",
            "last_name",
            "lastname",
            "last name",
            "surname",
            "given_name",
            "family_name",
            "customer_name",
            "customer name",
            "recipient",
            "recipient_name",
            "cardholder",
            "cardholder_name",
            "card_holder",
            "contact_name",
            "收货人",
            "收件人",
            "姓名",
            "联系人",
            "持卡人",
            "收货人姓名",
            "收件人姓名",
            "收貨人",
            "聯絡人",
            "nombre",
            "apellido",
            "nom",
            "prénom",
            "nachname",
            "vorname",
            "cognome",
            "sobrenome",
            "фамилия",
            "Фамилия",
            "имя",
            "Имя",
            "氏名",
            "お名前",
            "이름",
            "성명",
        ],
    ),
    (
        Sense::Field(Field::Address),
        &[
            "ship to",
            "shipping address",
            "shipping_address",
            "delivery address",
            "delivery_address",
            "billing address",
            "billing_address",
            "home address",
            "home_address",
            "street address",
            "street_address",
            "postal address",
            "postal_address",
            "address",
            "address_line1",
            "address_line2",
            "addr",
            "street",
            "deliver to",
            "地址",
            "收货地址",
            "收件地址",
            "家庭住址",
            "住址",
            "送货地址",
            "收貨地址",
            "送貨地址",
            "dirección",
            "adresse",
            "indirizzo",
            "endereço",
            "adres",
            "адрес",
            "Адрес",
            "住所",
            "주소",
        ],
    ),
];

static FINDER: LazyLock<(AhoCorasick, Vec<Sense>)> = LazyLock::new(|| {
    let prefixes = secret::SHAPES.iter().enumerate();
    let prefixes = prefixes.map(|(place, shape)| (shape.prefix, Sense::Prefix(place)));
    let words = WORDS.iter().flat_map(|(sense, words)| words.iter().map(|word| (*word, *sense)));
    let (words, senses): (Vec<&str>, Vec<Sense>) = prefixes.chain(words).unzip();
    let finder = AhoCorasick::builder()
        .ascii_case_insensitive(true)
        .match_kind(MatchKind::LeftmostLongest)
        .kind(Some(AhoCorasickKind::DFA))
        .build(words)
        .expect("the words are constant and tested");
    (finder, senses)
});

/// The words of a text, in order.
pub(super) fn find(text: &str) -> Vec<Keyword> {
    let (finder, senses) = &*FINDER;
    let keyword = |found: aho_corasick::Match| {
        let sense = senses[found.pattern().as_usize()];
        Keyword { start: found.start(), end: found.end(), sense }
    };
    finder.find_iter(text).map(keyword).filter(|found| is_word(text, found)).collect()
}

/// Whether it is no part of a longer word.
fn is_word(text: &str, found: &Keyword) -> bool {
    let bytes = text.as_bytes();
    let is_letter = |byte: Option<u8>| byte.is_some_and(|byte| byte.is_ascii_alphabetic());
    let begins = !bytes[found.start].is_ascii_alphabetic()
        || !before(text, found.start).is_some_and(|byte| byte.is_ascii_alphanumeric());
    let is_open = matches!(found.sense, Sense::Prefix(_) | Sense::PrivateKey);
    let ends = is_open
        || !bytes[found.end - 1].is_ascii_alphabetic()
        || !is_letter(after(text, found.end));
    begins && ends
}
