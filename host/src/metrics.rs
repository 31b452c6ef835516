//! Figures for Prometheus: what skills were called for, what they used, what
//! was refused to them.
//!
//! Each host has a recorder of its own, not the process's: several hosts in one
//! process do not count for one another. Labels are names of installed skills
//! and their tools and words of the host's own, never anything that a customer
//! or a component says; they are cleaned and counted all the same.

mod labels;

use std::{
    collections::BTreeSet,
    sync::{Mutex, PoisonError},
};

use metrics::{Key, KeyName, Level, Metadata, Recorder as _, Unit};
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle, PrometheusRecorder};
use postern_domain::{Decision, Outcome, SkillFailure, SkillId};
use postern_runtime::Usage;
use semver::Version;

use self::labels::Labels;
use crate::{
    breaker::Standing,
    canary,
    registry::{Loaded, Trial, Why},
};

/// Upper ends of the histograms' buckets, in seconds: from a call that does
/// nothing to one that waits for a slow server.
const BUCKETS: [f64; 18] = [
    0.000_05, 0.000_1, 0.000_25, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5,
    1.0, 2.5, 5.0, 10.0, 30.0,
];

const CALLS: &str = "postern_skill_calls_total";
const LIMITS: &str = "postern_skill_limits_total";
const TRAPS: &str = "postern_skill_traps_total";
const BREAKER_OPEN: &str = "postern_skill_breaker_open";
const BREAKER_OPENED: &str = "postern_skill_breaker_opened_total";
const CALL_SECONDS: &str = "postern_skill_call_seconds";
const CPU_SECONDS: &str = "postern_skill_cpu_seconds";
const HOST_CALLS: &str = "postern_host_calls_total";
const POLICY_GENERATION: &str = "postern_policy_generation";
const POLICY_DIFFERING: &str = "postern_policy_files_differing";
const ANSWERS_WITHHELD: &str = "postern_answers_withheld_total";
const HOSTILE: &str = "postern_hostile_texts_total";
const RESTRICTED: &str = "postern_restricted_messages_total";
const VERSION_CALLS: &str = "postern_skill_version_calls_total";
const CANARY: &str = "postern_skill_canary_permille";
const TRIALS_ENDED: &str = "postern_skill_trials_ended_total";
const LEFT_OUT: &str = "postern_skills_left_out";
const LOG_LINES_DROPPED: &str = "postern_log_lines_dropped_total";

/// The outcome of a call that was refused because its skill rests.
const RESTING: &str = "resting";

const METADATA: Metadata<'static> = Metadata::new("postern", Level::INFO, None);

/// The figures of one host, since it started.
pub struct Metrics {
    recorder: PrometheusRecorder,
    handle: PrometheusHandle,
    labels: Labels,
    /// Skills whose breakers were shown: a figure stays until it is set again.
    shown: Mutex<BTreeSet<SkillId>>,
    /// Versions whose trials were shown.
    trials: Mutex<BTreeSet<(SkillId, String)>>,
}

impl Default for Metrics {
    fn default() -> Self {
        let recorder = PrometheusBuilder::new()
            .set_buckets(&BUCKETS)
            .expect("there are buckets")
            .build_recorder();
        describe(&recorder);
        Self {
            handle: recorder.handle(),
            recorder,
            labels: Labels::default(),
            shown: Mutex::default(),
            trials: Mutex::default(),
        }
    }
}

fn describe(recorder: &PrometheusRecorder) {
    let counters = [
        (CALLS, "Calls of tools by what they came to."),
        (LIMITS, "Calls that a limit ended, by limit."),
        (TRAPS, "Calls in which the component trapped."),
        (BREAKER_OPENED, "How often a skill was put to rest."),
        (HOST_CALLS, "Host calls of skills by what policy said."),
        (ANSWERS_WITHHELD, "Answers that told what is another customer's, by kind of datum."),
        (HOSTILE, "Messages and answers that look as if they want to steer the machine."),
        (RESTRICTED, "Messages that people look after, by category."),
        (VERSION_CALLS, "Calls in which a version of a skill ran, by whether it failed."),
        (TRIALS_ENDED, "Trials of new versions that the host has ended, by how."),
        (LOG_LINES_DROPPED, "Log lines of skills that were over a limit."),
    ];
    for (name, text) in counters {
        recorder.describe_counter(KeyName::from_const_str(name), None, text.into());
    }
    let gauges = [
        (BREAKER_OPEN, "1 while a skill rests because too many of its calls broke in a row."),
        (CANARY, "Of 1000 conversations so many get this version, which is on trial."),
        (LEFT_OUT, "Installed skills that do not run, by why."),
        (POLICY_GENERATION, "Number of the generation of rules in force."),
        (POLICY_DIFFERING, "Files of the folder of rules that are not as they are in force."),
    ];
    for (name, text) in gauges {
        recorder.describe_gauge(KeyName::from_const_str(name), None, text.into());
    }
    let seconds = [
        (CALL_SECONDS, "Time of a call from start to end, host calls included."),
        (CPU_SECONDS, "Processor time of the component in a call."),
    ];
    for (name, text) in seconds {
        recorder.describe_histogram(
            KeyName::from_const_str(name),
            Some(Unit::Seconds),
            text.into(),
        );
    }
}

/// What a call came to, as a label.
const fn outcome(result: &Result<Outcome, SkillFailure>) -> &'static str {
    match result {
        Ok(Outcome::Reply { .. }) => "reply",
        Ok(Outcome::Ask { .. }) => "ask",
        Ok(Outcome::HandOver { .. }) => "hand-over",
        Ok(Outcome::Done) => "done",
        Err(failure) => failure.code(),
    }
}

impl Metrics {
    /// Counts a call of a tool that was made. Its wall time is 0 if it found no
    /// free slot.
    pub fn called(
        &self,
        skill: &SkillId,
        tool: &str,
        result: &Result<Outcome, SkillFailure>,
        usage: &Usage,
    ) {
        self.ended(skill, tool, outcome(result));
        let skill = ("skill", skill.as_str());
        match result {
            Err(SkillFailure::Limit { limit, .. }) => {
                self.add(self.labels.key(LIMITS, [skill, ("limit", limit)]), 1);
            }
            Err(SkillFailure::Trap { .. }) => self.add(self.labels.key(TRAPS, [skill]), 1),
            Ok(_)
            | Err(
                SkillFailure::InvalidArguments { .. }
                | SkillFailure::Denied { .. }
                | SkillFailure::Unavailable { .. }
                | SkillFailure::Internal { .. },
            ) => {}
        }
        // A call that found no free slot took no time of the component.
        let times = [(CALL_SECONDS, usage.wall), (CPU_SECONDS, usage.cpu)];
        for (name, time) in times.into_iter().filter(|_| !usage.wall.is_zero()) {
            self.recorder
                .register_histogram(&self.labels.key(name, [skill]), &METADATA)
                .record(time.as_secs_f64());
        }
        if usage.log_lines_dropped > 0 {
            self.add(self.labels.key(LOG_LINES_DROPPED, [skill]), usage.log_lines_dropped.into());
        }
    }

    /// Counts a call in which a version ran.
    pub fn ran(&self, skill: &SkillId, version: &Version, result: &Result<Outcome, SkillFailure>) {
        let failed = result.as_ref().err().is_some_and(canary::is_failure);
        let ended = ("ended", if failed { "failed" } else { "held" });
        let labels = [("skill", skill.as_str()), ("version", &version.to_string()), ended];
        self.add(self.labels.key(VERSION_CALLS, labels), 1);
    }

    /// Counts that a trial was ended.
    pub fn trial_ended(&self, skill: &SkillId, promoted: bool) {
        let how = ("how", if promoted { "promoted" } else { "aborted" });
        self.add(self.labels.key(TRIALS_ENDED, [("skill", skill.as_str()), how]), 1);
    }

    /// Shows which version is on trial, and how many installed skills do not run.
    pub fn generation(&self, loaded: &Loaded) {
        let mut shown = self.trials.lock().unwrap_or_else(PoisonError::into_inner);
        let mut gone = std::mem::take(&mut *shown);
        if let Some(Trial { skill, canary, .. }) = &loaded.trial {
            let version = canary.installed.manifest.skill.version.to_string();
            self.set(CANARY, [("skill", skill.as_str()), ("version", &version)], canary.permille);
            gone.remove(&(skill.clone(), version.clone()));
            shown.insert((skill.clone(), version));
        }
        for (skill, version) in gone {
            self.set(CANARY, [("skill", skill.as_str()), ("version", &version)], 0_u16);
        }
        let trial = loaded.trial.as_ref().and_then(|trial| trial.skills.as_ref().err());
        let all = loaded.stable.left_out.values().map(|it| &it.why).chain(trial);
        let all: Vec<&str> = all.map(Why::as_str).collect();
        for why in Why::NAMES {
            let number = all.iter().filter(|it| **it == why).count();
            self.set(LEFT_OUT, [("why", why)], u32::try_from(number).unwrap_or(u32::MAX));
        }
    }

    /// Counts a call of a tool that did not run, because of its arguments.
    pub fn not_called(&self, skill: &SkillId, tool: &str, failure: &SkillFailure) {
        self.ended(skill, tool, failure.code());
    }

    /// Counts a call of a tool that did not run, because its skill rests.
    pub fn rested(&self, skill: &SkillId, tool: &str) {
        self.ended(skill, tool, RESTING);
    }

    /// Counts an answer that was withheld because of this kind of datum.
    pub fn withheld(&self, kind: &str) {
        self.add(self.labels.key(ANSWERS_WITHHELD, [("kind", kind)]), 1);
    }

    /// Counts a message with restricted content of this category.
    pub fn restricted(&self, category: &str) {
        self.add(self.labels.key(RESTRICTED, [("category", category)]), 1);
    }

    /// Counts a message, or an answer of a call, that looks hostile.
    pub fn hostile(&self, what: &'static str) {
        self.add(self.labels.key(HOSTILE, [("what", what)]), 1);
    }

    /// Counts that a skill was put to rest.
    pub fn breaker_opened(&self, skill: &SkillId) {
        self.add(self.labels.key(BREAKER_OPENED, [("skill", skill.as_str())]), 1);
    }

    /// Counts a host call that was judged.
    pub fn judged(&self, skill: &SkillId, action: &'static str, decision: Decision) {
        let labels =
            [("skill", skill.as_str()), ("action", action), ("decision", decision.as_str())];
        self.add(self.labels.key(HOST_CALLS, labels), 1);
    }

    /// Shows which rules are in force, and in how many files the folder differs.
    pub fn rules(&self, generation: u64, differing: usize) {
        #[expect(clippy::cast_precision_loss, reason = "there are not that many generations")]
        let figures =
            [(POLICY_GENERATION, generation as f64), (POLICY_DIFFERING, differing as f64)];
        for (name, figure) in figures {
            self.recorder.register_gauge(&self.labels.key(name, []), &METADATA).set(figure);
        }
    }

    /// All figures in the text format of Prometheus 0.0.4. `active` tells how
    /// the installed skills stand; whatever may still be zero is shown for each.
    /// A skill that is not installed any more does not rest.
    pub fn render<'a>(&self, active: impl IntoIterator<Item = (&'a SkillId, Standing)>) -> String {
        let mut shown = self.shown.lock().unwrap_or_else(PoisonError::into_inner);
        let mut gone = shown.clone();
        for (skill, standing) in active {
            gone.remove(skill);
            shown.insert(skill.clone());
            let labels = [("skill", skill.as_str())];
            for name in [TRAPS, BREAKER_OPENED, LOG_LINES_DROPPED] {
                self.add(self.labels.key(name, labels), 0);
            }
            self.show_breaker(skill, standing.is_open());
        }
        for skill in gone {
            self.show_breaker(&skill, false);
            shown.remove(&skill);
        }
        self.handle.render()
    }

    /// Moves measured times into their buckets. Without it, they would gather
    /// in memory for as long as nobody asks for the figures.
    pub fn tidy(&self) {
        self.handle.run_upkeep();
    }

    fn show_breaker(&self, skill: &SkillId, open: bool) {
        let key = self.labels.key(BREAKER_OPEN, [("skill", skill.as_str())]);
        self.recorder.register_gauge(&key, &METADATA).set(if open { 1.0 } else { 0.0 });
    }

    fn set<const N: usize>(
        &self,
        name: &'static str,
        labels: [(&'static str, &str); N],
        figure: impl Into<f64>,
    ) {
        self.recorder.register_gauge(&self.labels.key(name, labels), &METADATA).set(figure.into());
    }

    fn ended(&self, skill: &SkillId, tool: &str, outcome: &'static str) {
        let labels = [("skill", skill.as_str()), ("tool", tool), ("outcome", outcome)];
        self.add(self.labels.key(CALLS, labels), 1);
    }

    fn add(&self, key: Key, number: u64) {
        self.recorder.register_counter(&key, &METADATA).increment(number);
    }
}

#[cfg(test)]
mod tests;
