//! What the host itself says to customers: civil, short, and never about the
//! machine's inside.

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

/// The question before something is done that needs the customer's yes.
pub(super) fn shall_i(what: &str, amount: Option<&str>) -> String {
    let amount = amount.map(|amount| format!(" It is about {amount}.")).unwrap_or_default();
    format!("I can do this for you: {what}.{amount} Shall I do that? Please answer yes or no.")
}

/// A question that was not answered, put again.
pub(super) fn again(question: &str) -> String {
    format!("I am sorry, I could not find that in your answer. {question}")
}
