//! What the host itself says to customers: civil, short, and never about the
//! machine's inside.

use postern_policy::restricted::Category;

pub(super) const NOT_UNDERSTOOD: &str = "I am sorry, I did not understand that. I can look up an \
    order, track a parcel or check a refund. You can also ask for a person.";

pub(super) const NOT_UNDERSTOOD_TWICE: &str = "I am sorry, I still do not understand. I have asked \
    a colleague to help you; they will answer here.";

pub(super) const TRY_LATER: &str = "I am sorry, I cannot find that out right now. I have told a \
    colleague, who will look into it and answer here.";

pub(super) const REFUSED: &str = "I am sorry, I am not allowed to do that for you here. I have told \
    a colleague, who will look into it and answer here.";

pub(super) const WITHHELD: &str = "I am sorry, I cannot tell you that here. I have told a colleague, \
    who will look into it and answer here.";

pub(super) const UNCERTAIN: &str = "I could not make sure that this went through. I have asked a \
    colleague to check before anything is done again; they will answer here.";

pub(super) const GIVEN_UP: &str = "I am sorry, something went wrong with your last message. I have \
    told a colleague, who will answer here.";

pub(super) const TEXT_ONLY: &str = "I am sorry, I can only read text here. Please write to me what \
    you need.";

pub(super) const CANNOT_IDENTIFY: &str = "I am sorry, I need to know who you are for that and \
    cannot find it out here. I have told a colleague, who will answer here.";

pub(super) const WRITE_PRIVATELY: &str = "This concerns personal data, so please write to me in a \
    private chat.";

pub(super) const WAITS_FOR_PEOPLE: &str = "Thank you. A colleague has to look at this before it can \
    be done; I will write to you here as soon as it is decided.";

pub(super) const PEOPLE_SAID_NO: &str = "I am sorry, a colleague has looked at your request and it \
    cannot be done. If you have questions about it, just ask for a person.";

pub(super) const PEOPLE_TOO_LATE: &str = "I am sorry, nobody could decide about your request in \
    time, so nothing was done. I have told a colleague, who will answer here.";

pub(super) const COUNTS_NO_MORE: &str = "I am sorry, things have changed since your request was \
    looked at, so nothing was done. I have told a colleague, who will answer here.";

pub(super) const NOT_DONE: &str = "All right, nothing was done.";

pub(super) const NOTHING_WAITS: &str = "There is nothing left that waits for your answer. What can I \
    do for you?";

/// The end of what is said about restricted content, in English and Chinese.
pub(super) const PERSON_TAKES_OVER: [&str; 2] = [
    "I have asked a colleague to look after this; they will answer here.",
    "我已请同事来处理，他们会在这里回复您。",
];

/// What is said about restricted content, in English and Chinese. It repeats nothing and
/// fits whatever was written.
pub(super) const fn restricted(category: Category) -> [&'static str; 2] {
    match category {
        Category::PaymentCard => [
            "For your safety, never send card numbers or security codes here. Those that we \
             recognise are taken out of what we keep.",
            "为了您的安全，请不要在这里发送银行卡号或安全码。识别出的卡号和安全码不会保留在我们的记录里。",
        ],
        Category::IdDocument => [
            "For your safety, please do not send numbers of identity documents here. Those that \
             we recognise are taken out of what we keep.",
            "为了您的安全，请不要在这里发送证件号码。识别出的证件号码不会保留在我们的记录里。",
        ],
        Category::SelfHarm => [
            "I am very sorry that things are so hard right now, and I am glad that you wrote. You \
             are not alone with this. If you or somebody near you is in danger, please call your \
             local emergency number at once, or talk to somebody whom you trust.",
            "很难过您正在经历这样的时刻，也谢谢您愿意告诉我们。您并不孤单。如果您或身边的人有危险，请立即拨打当地急救电话，或联系您信任的人。",
        ],
        Category::Minors | Category::Health | Category::LegalThreat | Category::Custom(_) => [
            "Thank you for your message. This is for a person to answer, not for me.",
            "谢谢您的留言。这件事应当由人工来答复，而不是由我来答复。",
        ],
    }
}

/// The question before something is done that needs the customer's yes.
pub(super) fn shall_i(what: &str, amount: Option<&str>) -> String {
    let amount = amount.map(|amount| format!(" It is about {amount}.")).unwrap_or_default();
    format!("I can do this for you: {what}.{amount} Shall I do that? Please answer yes or no.")
}

/// A question that was not answered, put again.
pub(super) fn again(question: &str) -> String {
    format!("I am sorry, I could not find that in your answer. {question}")
}
