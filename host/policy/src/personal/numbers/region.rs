//! Which numbers countries give out, by the metadata of libphonenumber.

use rlibphonenumber::{PHONE_NUMBER_UTIL, PhoneNumber, Region};

/// Countries whose national numbers are known without a code, with the code, and digits
/// after the trunk prefix `0`.
const TRUNK: [(Region, i32, std::ops::RangeInclusive<usize>); 13] = [
    (Region::GB, 44, 9..=10),
    (Region::CN, 86, 9..=11),
    (Region::DE, 49, 8..=11),
    (Region::FR, 33, 9..=9),
    (Region::JP, 81, 9..=10),
    (Region::IL, 972, 8..=9),
    (Region::IN, 91, 10..=10),
    (Region::AU, 61, 9..=9),
    (Region::ZA, 27, 9..=9),
    (Region::CH, 41, 9..=9),
    (Region::NL, 31, 9..=9),
    (Region::SE, 46, 7..=9),
    (Region::BR, 55, 10..=11),
];

/// Countries whose national numbers are written without a prefix.
const PLAIN: [(Region, i32, std::ops::RangeInclusive<usize>); 6] = [
    (Region::US, 1, 10..=10),
    (Region::CA, 1, 10..=10),
    (Region::IN, 91, 10..=10),
    (Region::BR, 55, 10..=11),
    (Region::ES, 34, 9..=9),
    (Region::MX, 52, 10..=10),
];

/// Whether a number with its country code, `442079460018`, is given out there.
pub(super) fn is_international(digits: &str) -> bool {
    let mut plus = String::with_capacity(digits.len() + 1);
    plus.push('+');
    plus.push_str(digits);
    PHONE_NUMBER_UTIL
        .parse(&plus, None)
        .is_ok_and(|number| PHONE_NUMBER_UTIL.is_valid_number(&number))
}

/// Whether a number without a country code is given out in one of the usual countries.
pub(super) fn is_national(digits: &str) -> bool {
    match digits.strip_prefix('0') {
        Some(rest) => {
            TRUNK.iter().any(|(region, code, lengths)| {
                lengths.contains(&rest.len()) && is_valid(*region, *code, rest, false)
            }) || is_valid(Region::IT, 39, rest, true)
        }
        None => PLAIN.iter().any(|(region, code, lengths)| {
            lengths.contains(&digits.len()) && is_valid(*region, *code, digits, false)
        }),
    }
}

/// Whether a country gives out ten digits that are written in three, three and four: those
/// of North America, and Indian mobiles.
pub(super) fn is_in_three(digits: &str) -> bool {
    let is_mobile = digits.starts_with(['6', '7', '8', '9']);
    is_valid(Region::US, 1, digits, false)
        || is_valid(Region::CA, 1, digits, false)
        || is_mobile && is_valid(Region::IN, 91, digits, false)
}

/// Italy keeps the zero of a national number.
fn is_valid(region: Region, country_code: i32, digits: &str, zero: bool) -> bool {
    let Ok(national_number) = digits.parse::<u64>() else { return false };
    let number = PhoneNumber {
        country_code,
        national_number,
        italian_leading_zero: zero.then_some(true),
        ..PhoneNumber::default()
    };
    !digits.starts_with('0') && PHONE_NUMBER_UTIL.is_valid_number_for_region(&number, region)
}
