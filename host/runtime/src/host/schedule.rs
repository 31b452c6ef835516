//! `postern:schedule`

use postern_domain::{HostCall, HostReply, Job, JobTime, Timestamp};

use super::{
    Answer, answer,
    check::{self, Checked},
    weight,
};
use crate::{
    bindings::postern::schedule::timer::{self as wit, Failure, Host},
    state::State,
};

const ARGUMENTS_BYTES: usize = 16 << 10;

impl Host for State {
    async fn create(&mut self, job: wit::Job) -> Answer<String, Failure> {
        let when = match &job.when {
            wit::When::AtMs(_) => None,
            wit::When::Cron(expression) => Some(expression),
        };
        let bytes = weight::of_texts([&job.tool, &job.arguments].into_iter().chain(when));
        answer!(self.ask(Schedule, bytes, create(job)), HostReply::Scheduled { id } => id)
    }

    async fn cancel(&mut self, id: String) -> Answer<(), Failure> {
        answer!(self.ask(Schedule, weight::of_texts([&id]), cancel(id)), HostReply::Done => ())
    }
}

fn create(job: wit::Job) -> Checked<HostCall> {
    let wit::Job { tool, arguments, when } = job;
    check::name("tool", &tool, "_", 64)?;
    let arguments = check::object("arguments", &arguments, ARGUMENTS_BYTES)?;
    let when = match when {
        wit::When::AtMs(ms) => {
            let ms = i64::try_from(ms).map_err(|_| check::wrong("when", "is too far away"))?;
            JobTime::At { time: Timestamp::from_millis(ms) }
        }
        wit::When::Cron(expression) => {
            check::line("when", &expression, 9, 100)?;
            let fields = expression.split_ascii_whitespace().count();
            check::ensure(fields == 5, "when", format_args!("has {fields} fields; 5 are wanted"))?;
            JobTime::Cron { expression }
        }
    };
    Ok(HostCall::ScheduleCreate { job: Job { tool, arguments, when } })
}

fn cancel(id: String) -> Checked<HostCall> {
    check::line("id", &id, 1, 100)?;
    Ok(HostCall::ScheduleCancel { id })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(tool: &str, arguments: &str, when: wit::When, wanted: bool) {
        let job = wit::Job { tool: tool.into(), arguments: arguments.into(), when };
        assert_eq!(create(job).is_ok(), wanted, "{tool} {arguments}");
    }

    #[test]
    fn a_job_is_well_formed() {
        let daily = || wit::When::Cron("0 9 * * 1".into());
        check("remind", "{}", wit::When::AtMs(0), true);
        check("remind", "{}", daily(), true);
        check("remind", "[]", daily(), false);
        check("../x", "{}", daily(), false);
        check("remind", "{}", wit::When::AtMs(u64::MAX), false);
        check("remind", "{}", wit::When::Cron("@reboot".into()), false);
        check("remind", "{}", wit::When::Cron("* * * * * *".into()), false);
    }
}
