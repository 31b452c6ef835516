//! Words near a number that say what it is.

use std::{ops::Range, sync::LazyLock};

use aho_corasick::{AhoCorasick, AhoCorasickKind, MatchKind};

use super::token;

/// What a word says of the number after it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sense {
    /// A phone number.
    Phone,
    /// Probably a phone number: somebody is to be called or written to.
    Talk,
    /// A payment card.
    Card,
    /// A bank account.
    Bank,
    /// An account, perhaps a bank's.
    Account,
    /// A passport or another travel document.
    Passport,
    /// A US social security number.
    SocialSecurity,
    /// A number of the UK's health service.
    Health,
    /// A resident identity number.
    Identity,
    /// Any number, a phone's as well: "my number".
    Number,
    /// What numbers of many kinds follow: an id, a code, a time.
    Vague,
    /// Nothing personal: an amount, a number of things.
    Amount,
    /// Nothing personal: an order, a parcel, a time.
    Other,
}

/// The nearest word before a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Near {
    pub(super) sense: Sense,
    /// Only a connecting word or sign stands between.
    pub(super) adjacent: bool,
    /// Nothing stands between.
    pub(super) touches: bool,
    /// Another long number stands between.
    pub(super) crossed: bool,
}

/// Bytes before a number in which words count; a Chinese character has three.
const BEFORE: usize = 56;
/// Bytes after a number in which words count.
const AFTER: usize = 24;
/// Digits from which a number between a word and another number takes the word.
const LONG: usize = 7;

/// The nearest word before `start` that says something of what follows. Words before a datum
/// that was taken out said something of that.
pub(super) fn before(text: &str, start: usize) -> Option<Near> {
    let bytes = text.as_bytes();
    let window = start.saturating_sub(BEFORE)..start;
    let from = window
        .clone()
        .rev()
        .find(|at| matches!(bytes[*at], b']' | b'>') && token::ends_at(bytes, at + 1))
        .map_or(window.start, |at| at + 1);
    let mut words = BEFORE_WORDS.all(text, from..start);
    let first = words.next();
    let last = words.fold(first, |before, (sense, span)| {
        // "tracking_id" is no id of anything else.
        let is_of_other = before.is_some_and(|(of, other)| {
            of == Sense::Other
                && matches!(
                    bytes[other.end..span.start],
                    [b' ' | b'_' | b'-'] | [b'\'', b's', b' ']
                )
        });
        Some(if sense == Sense::Vague && is_of_other {
            (Sense::Other, span)
        } else {
            (sense, span)
        })
    });
    let (sense, span) = match last {
        Some(found) => found,
        None => (Sense::Phone, signature(text, from..start)?),
    };
    let between = &bytes[span.end..start];
    let adjacent = is_connecting(between, sense);
    Some(Near { sense, adjacent, touches: between.is_empty(), crossed: has_long_number(between) })
}

/// `T:` or `M:` as signatures have it, at the beginning of a line or behind a bar.
fn signature(text: &str, within: Range<usize>) -> Option<Range<usize>> {
    let label = text.as_bytes()[..within.end].trim_ascii_end();
    let is_label = match label {
        [b'T' | b'M', b':'] => true,
        [before @ .., b'T' | b'M', b':'] => {
            matches!(before.trim_ascii_end(), [.., b'|']) || matches!(before, [.., b'\n'])
        }
        _ => false,
    };
    let start = label.len().checked_sub(2).filter(|start| *start >= within.start)?;
    is_label.then_some(start..label.len())
}

/// What follows `end` at once and says what the number is: "-Fax", " 元".
pub(super) fn after(text: &str, end: usize) -> Option<Sense> {
    let to = text.len().min(end + AFTER);
    let (sense, span) = AFTER_WORDS.find_first(text, end..to)?;
    let between = &text.as_bytes()[end..span.start];
    let near = between.iter().all(|byte| matches!(byte, b' ' | b'-' | b'(' | b','));
    (near && between.len() <= 3).then_some(sense)
}

/// `是`, `: `, `="`, ` is `, ` no. `: nothing that could begin another thought.
///
/// Between a call and the number there is also who is called, and how.
fn is_connecting(between: &[u8], sense: Sense) -> bool {
    let Ok(between) = std::str::from_utf8(between) else { return false };
    let mut rest = between;
    loop {
        rest = rest.trim_start_matches(|c: char| {
            c.is_ascii_whitespace()
                || matches!(c, ':' | '=' | '"' | '\'' | '#' | '(' | '[' | '>' | '*' | '.' | '/')
                || matches!(c, '：' | '（' | '【' | '「' | '“' | '|' | '-' | '_' | '+')
        });
        let strip = |word: &&str| {
            let head = rest.get(..word.len())?;
            head.eq_ignore_ascii_case(word).then_some(word.len())
        };
        // Whole words: "at", and not the beginning of "attempt".
        let of_call = |word: &&str| {
            let next = rest.as_bytes().get(word.len());
            strip(word).filter(|_| !next.is_some_and(u8::is_ascii_alphabetic))
        };
        let word = match sense {
            Sense::Talk => {
                CONNECTING.iter().find_map(strip).or_else(|| OF_CALL.iter().find_map(of_call))
            }
            Sense::Phone
            | Sense::Card
            | Sense::Bank
            | Sense::Account
            | Sense::Passport
            | Sense::SocialSecurity
            | Sense::Health
            | Sense::Identity
            | Sense::Number
            | Sense::Vague
            | Sense::Amount
            | Sense::Other => CONNECTING.iter().find_map(strip),
        };
        match word {
            Some(length) => rest = &rest[length..],
            None => return rest.is_empty(),
        }
    }
}

const CONNECTING: [&str; 14] =
    ["is", "was", "no", "num", "number", "id", "of", "是", "为", "号", "码", "填", "写成", "变成"];

const OF_CALL: [&str; 16] = [
    "me", "us", "him", "her", "them", "back", "on", "at", "to", "via", "our", "branch", "line",
    "directly", "please", "the",
];

fn has_long_number(between: &[u8]) -> bool {
    between.iter().filter(|byte| byte.is_ascii_digit()).count() >= LONG
}

/// Words of any case and their senses, in one automaton.
struct Words {
    automaton: AhoCorasick,
    senses: Vec<Sense>,
}

static BEFORE_WORDS: LazyLock<Words> = LazyLock::new(|| {
    Words::new(&[
        (Sense::Phone, PHONE),
        (Sense::Talk, TALK),
        (Sense::Card, CARD),
        (Sense::Bank, BANK),
        (Sense::Account, ACCOUNT),
        (Sense::Passport, PASSPORT),
        (Sense::SocialSecurity, SOCIAL_SECURITY),
        (Sense::Health, HEALTH),
        (Sense::Identity, IDENTITY),
        (Sense::Number, NUMBER),
        (Sense::Vague, VAGUE),
        (Sense::Other, OTHER),
        (Sense::Amount, AMOUNT),
    ])
});

static AFTER_WORDS: LazyLock<Words> =
    LazyLock::new(|| Words::new(&[(Sense::Phone, PHONE_AFTER), (Sense::Other, OTHER_AFTER)]));

impl Words {
    fn new(lists: &[(Sense, &str)]) -> Self {
        let words: Vec<(Sense, &str)> = lists
            .iter()
            .flat_map(|(sense, words)| words.split(',').map(|word| (*sense, word.trim())))
            .collect();
        let automaton = AhoCorasick::builder()
            .match_kind(MatchKind::LeftmostLongest)
            .ascii_case_insensitive(true)
            .kind(Some(AhoCorasickKind::DFA))
            .build(words.iter().map(|(_, word)| word))
            .expect("the words are constant and few");
        Self { automaton, senses: words.into_iter().map(|(sense, _)| sense).collect() }
    }

    fn find_first(&self, text: &str, within: Range<usize>) -> Option<(Sense, Range<usize>)> {
        self.all(text, within).next()
    }

    fn all(&self, text: &str, within: Range<usize>) -> impl Iterator<Item = (Sense, Range<usize>)> {
        let bytes = text.as_bytes();
        let from = within.start;
        self.automaton.find_iter(&bytes[within]).filter_map(move |found| {
            let span = found.start() + from..found.end() + from;
            is_word(bytes, &span).then(|| (self.senses[found.pattern().as_usize()], span))
        })
    }
}

/// Not a part of a longer word; `user_phone` and `phoneNo` are words side by side.
fn is_word(bytes: &[u8], span: &Range<usize>) -> bool {
    let (first, last) = (bytes[span.start], bytes[span.end - 1]);
    let begins = !first.is_ascii_alphabetic()
        || match bytes[..span.start] {
            [.., b'a'..=b'z'] => first.is_ascii_uppercase(),
            // Latin letters with accents: the end of "hôtel" is none.
            [.., 0xc3..=0xc9, 0x80..=0xbf] => false,
            [.., before] => !before.is_ascii_alphabetic(),
            [] => true,
        };
    let ends = !last.is_ascii_alphabetic()
        || match bytes.get(span.end) {
            Some(after @ b'A'..=b'Z') => last.is_ascii_lowercase() && after.is_ascii_uppercase(),
            Some(after) => !after.is_ascii_alphabetic(),
            None => true,
        };
    begins && ends
}

const NUMBER: &str = "number,numbers,try,号码,號碼";

const PHONE: &str = "phone,phones,phone number,phone numbers,phone no,telephone,telephone number,\
    tel,mobile,mobiles,mobile number,mobile phone,mobil,movil,móvil,celular,handy,cell,cells,\
    cellphone,cell phone,cell number,whatsapp,wechat/phone,sms,fax,hotline,landline,ph,telefon,\
    telefone,telefono,teléfono,téléphone,caller,msisdn,contact number,office number,home number,\
    number to reach,number to call,new number,my number,his number,her number,their number,\
    电话,手机,座机,来电,回电,致电,拨打,新号,旧号,联系方式,热线,传真,机主,换号,电联,话机,固话,\
    mob,hp,h/p,wife's number,husband's number,\
    son's number,daughter's number,mother's number,father's number,brother's number,\
    sister's number,friend's number,手機,手機號,手機號碼,電話,電話號碼,聯絡電話,來電,座機,傳真,行動電話,\
    tél,téléphone portable,portable,numéro de téléphone,telefonnummer,rufnummer,handynummer,\
    mobilnummer,telefoonnummer,mobiel,número de teléfono,telemóvel,celulare,cellulare,\
    numero di telefono,numer telefonu,komórka,cep telefonu,電話番号,携帯,携帯電話,携帯番号,\
    전화,전화번호,휴대폰,핸드폰,연락처,телефон,Телефон,номер телефона,мобильный,هاتف,جوال,الهاتف,\
    رقم الهاتف";

const TALK: &str = "call,calls,called,calling,dial,dialed,dialled,ring,rang,reach,reached,text,\
    texted,texting,contact,contacts,message to,messages to,message on,messages on,messages from,\
    message me,answering at,answer at,answering on,answer on,office,speak to,the line,who owns,\
    联系,打给,短信,联络,拨,打的是";

const CARD: &str = "card,cards,card number,card no,card num,credit card,debit card,bank card,\
    credit card number,visa,mastercard,amex,卡号,银行卡,信用卡,工资卡,借记卡,储蓄卡,银行卡号,信用卡号,\
    cc,maestro,unionpay,american express,银联,信用卡號,信用卡号码,卡號,銀行卡,kreditkarte,\
    kartennummer,carte bancaire,carte de crédit,numéro de carte,tarjeta,tarjeta de crédito,\
    carta di credito,cartão,cartão de crédito,creditcard,karta kredytowa,numer karty,\
    kredi kartı,カード番号,クレジットカード,카드번호,신용카드,номер карты,карта,карты,بطاقة";

const BANK: &str = "account number,account no,account num,account #,acct,acct no,a/c,bank account,\
    bank account number,checking account,savings account,bank acct,routing number,iban,\
    银行账号,银行帐号,银行账户,收款账号,收款账户,对公账号,汇款账号,打款账号,提现账号,\
    銀行帳號,銀行賬號,kontonummer,numéro de compte,número de cuenta,numero di conto,\
    número da conta,numer konta,hesap numarası,rekeningnummer,口座番号,계좌번호,номер счёта,номер счета";

const ACCOUNT: &str = "account,accounts,checking,savings,deposit,bank,debit,账号,帐号,账户,帐户";

const PASSPORT: &str = "passport,passports,passport number,passport no,passport#,travel document,\
    passeport,reisepass,pasaporte,passaporto,passaporte,护照,护照号,护照号码,通行证,台胞证,回乡证,護照,護照號碼,\
    台胞證,回鄉證,passnummer,paspoort,paszport,pasaport,パスポート,旅券番号,여권,паспорт,Паспорт,جواز السفر";

const SOCIAL_SECURITY: &str = "ssn,ssns,ssn#,ss#,ssid,social security,social security number,\
    social security no,social security #,社会安全号,社安号";

const HEALTH: &str = "nhs,nhs number,nhs no,national health service,health service,health services,\
    health service number";

const IDENTITY: &str = "身份证,身份证号,身份证号码,证件号,证件号码,居民身份证,id card,id no,id number,\
    id_no,idno,id_card,idcard,identity card,identity number,national id,resident id,\
    sfz,身份證,身份證號,身份證字號,證件號碼,身分證,身分證字號";

const OTHER: &str = "order,orders,order number,order no,order id,order numbers,oid,tracking,\
    tracking number,tracking no,trace,trace id,traceid,parcel,parcel number,package,shipment,\
    shipment number,consignment,waybill,invoice,invoice number,invoice no,ticket,ticket number,\
    case,case number,case no,ref,reference,reference number,ref no,sku,barcode,bar code,ean,upc,\
    isbn,item,item number,part number,model,product,product number,serial,serial number,imei,\
    session,session id,ts,timestamp,booking,booking number,confirmation,\
    confirmation number,transaction,transaction id,transaction number,txn,request id,\
    member,member number,membership,customer number,loyalty,coupon,voucher,gift card,batch,lot,\
    version,zip,postcode,box,apt,suite,flight,route,page,vat,tax,tax id,port,pid,uuid,hash,\
    offset,year,pnr,rma,po,fedex,ups,usps,dhl,courier,delivery number,license number,\
    licence number,policy number,claim number,registration number,\
    订单,订单号,订单号码,订单编号,单号,流水,流水号,运单,运单号,快递单号,物流单号,编号,批次,批次号,条码,\
    条形码,序列号,税号,验证码,取件码,提货码,兑换码,优惠码,时间戳,错误码,工单号,货号,合同号,\
    发票号,交易号,会员号,卡bin,版本,邮编,密码,型号,设备号,工号,日期,时间,编码,车次,快递,单子,包裹,\
    物流,顺丰,韵达,中通,圆通,申通,商品,訂單,訂單號,單號,快遞,編號,驗證碼,\
    bestellung,bestellnummer,sendungsnummer,rechnung,rechnungsnummer,commande,colis,facture,\
    pedido,factura,ordine,zamówienie,sipariş,заказ,заказа,注文番号,주문번호";

const AMOUNT: &str = "score,price,total,amount,quantity,qty,charged,paid,size,bytes,count,weight,cost,\
    costs,金额,价格,扣款,余额,金額,價格";

const VAGUE: &str = "request,id,time,date,code,codes,iphone";

const PHONE_AFTER: &str = "office,fax,mobile,cell,home,work,phone,tel,direct,landline,whatsapp,\
    is my number,is my new number,is my phone,is my cell,is my mobile,is the number,\
    is my phone number,is my contact,is busy,is always busy,is engaged,的机主,打过电话,这个号码,是我的号,是我手机,是我的手机,是我电话,\
    的手机,手机,的电话,打电话,联系我,给我回";

const OTHER_AFTER: &str = "元,块,积分,件,个,次,points,dollars,euros,pounds,usd,eur,gbp,rmb,cny,items,\
    orders,units,pieces,pcs,%,kg,km,ms,bytes,kb,mb,people,times,days,hours,minutes,miles,ml,ns,members,users,rows,records";

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: Option<Sense>) {
        let at = text.find("123").expect("the text has the number");
        assert_eq!(before(text, at).map(|near| near.sense), expected, "{text}");
    }

    #[test]
    fn the_nearest_word_before_a_number_counts() {
        check("call me, the order number is 123", Some(Sense::Other));
        check("the order's phone: 123", Some(Sense::Phone));
        check("订单号8812，收货电话123", Some(Sense::Phone));
        check("手机下的订单123", Some(Sense::Other));
        check("nothing of that kind 123", None);
        check("tracking_id 123", Some(Sense::Other));
        check("user id 123", Some(Sense::Vague));
    }

    #[test]
    fn parts_of_words_say_nothing_and_parts_of_names_do() {
        check("the hotel is cancelled 123", None);
        check("user_phone=123", Some(Sense::Phone));
        check("\"contactPhoneNo\":123", Some(Sense::Phone));
        check("MOBILE:123", Some(Sense::Phone));
    }

    #[test]
    fn only_connecting_words_stand_between_adjacent_ones() {
        let near = |text: &str| before(text, text.find("123").unwrap()).unwrap();
        assert!(near("订单号是123").adjacent);
        assert!(near("order no. 123").adjacent);
        assert!(!near("the order: I called from 1 and 123").adjacent);
        assert!(near("phone 5559876540, 123").crossed);
        check("phone [PHONE] 123", None);
        check("<PHONE_1.k3f9> is my phone, 123", Some(Sense::Phone));
    }

    #[test]
    fn words_after_a_number_touch_it() {
        let after = |text: &str| super::after(text, 3);
        assert_eq!(after("123-Fax"), Some(Sense::Phone));
        assert_eq!(after("123 (mobile)"), Some(Sense::Phone));
        assert_eq!(after("123元"), Some(Sense::Other));
        assert_eq!(after("123 and the fax"), None);
    }
}
