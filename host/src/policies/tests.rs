//! Generations of rules: what is in force, and what a folder does not do.

use std::fs;

use postern_domain::Timestamp;
use postern_policy::personal::Purpose;

use super::*;
use crate::{
    clock::Clock as _,
    config,
    http::fixture::TestHost,
    operators::{ActError, Actor, Desk},
};

const RULE: &str = "@id(\"extra\")\npermit (principal, action == Action::\"kv:get\", resource);\n";

/// A host whose folder of rules can be changed.
struct Folder {
    host: TestHost,
    config: Config,
}

impl Folder {
    async fn new() -> Self {
        let host = TestHost::new().await;
        let mut config = host.app.config.clone();
        let copy = config.data.join("policies");
        fs::create_dir(&copy).unwrap();
        for entry in config.policies.read_dir().unwrap() {
            let path = entry.unwrap().path();
            if path.is_file() {
                fs::copy(&path, copy.join(path.file_name().unwrap())).unwrap();
            }
        }
        config.policies = copy;
        Self { host, config }
    }

    fn write(&self, name: &str, text: &str) {
        fs::write(self.config.policies.join(name), text).unwrap();
    }

    fn desk<'a>(&'a self, rules: &'a PolicySet, actor: &'a Actor) -> Desk<'a> {
        let now = self.host.clock.now();
        Desk { store: &*self.host.app.store, policy: rules, actor, now }
    }

    async fn apply_as(&self, actor: &Actor) -> Result<(PolicyGeneration, Difference), ApplyError> {
        let policies = Policies::open(&self.config).unwrap();
        let generations = Generations::open(&self.config.data).unwrap();
        let old = generations.read(policies.generation()).unwrap();
        let old = Loaded::generation(&self.config, old)?;
        let new = Loaded::folder(&self.config, &self.config.policies)?;
        let difference = difference(Some(&old), &new, &[]);
        let rules = policies.current();
        let made = apply(&self.desk(&rules, actor), &self.config, &new, &difference).await?;
        Ok((made, difference))
    }

    async fn back_to(&self, number: Option<u64>) -> Result<u64, ApplyError> {
        let rules = Policies::open(&self.config).unwrap().current();
        let actor = Actor::local();
        let back = rollback(&self.desk(&rules, &actor), &self.config, number, &[]).await;
        back.map(|(made, _)| made.number)
    }

    fn has_rule(&self, id: &str) -> bool {
        let policies = &self.host.app.policy;
        policies.follow(&self.config).unwrap();
        policies.current().rules().any(|rule| rule.id == id)
    }

    async fn last_row(&self) -> postern_domain::AuditEntry {
        self.host.app.store.audit_tail(1, None).await.unwrap().pop().unwrap().entry
    }
}

#[tokio::test]
async fn a_changed_file_does_nothing_until_it_is_applied_and_can_be_undone() {
    let folder = Folder::new().await;
    let policies = &folder.host.app.policy;
    assert_eq!(policies.compare(&folder.config).unwrap(), None);
    folder.write("extra.cedar", RULE);
    assert!(!folder.has_rule("extra"));
    assert_eq!(policies.compare(&folder.config).unwrap(), Some(vec!["extra.cedar".to_owned()]));
    assert_eq!(policies.compare(&folder.config).unwrap(), None, "it is told once");
    assert_eq!(policies.differing(), ["extra.cedar"]);

    let (made, difference) = folder.apply_as(&Actor::root()).await.unwrap();
    assert_eq!((made.number, made.author.as_str()), (2, "operator:root"));
    assert_eq!(difference.added, ["extra"]);
    assert_eq!(difference.removed.len() + difference.changed.len(), 0, "{difference:?}");
    let row = folder.last_row().await;
    assert_eq!((row.actor.as_str(), row.action.as_str()), ("operator:root", "policy:apply"));
    assert_eq!(row.detail, "by operator:root: rules added: extra");
    assert!(row.resource.starts_with("generation 2 sha256:"), "{}", row.resource);
    assert_eq!(row.verdict.unwrap().rules, ["operator-admin"]);
    assert!(folder.has_rule("extra"));
    assert_eq!(policies.generation(), 2);
    assert_eq!(policies.compare(&folder.config).unwrap(), None);
    assert_eq!(policies.texts()["extra"], RULE.trim_end());

    assert_eq!(folder.back_to(None).await.unwrap(), 1);
    assert!(!folder.has_rule("extra"));
    assert_eq!(folder.last_row().await.action, "policy:rollback");
    assert_eq!(policies.compare(&folder.config).unwrap(), Some(vec!["extra.cedar".to_owned()]));
    let error = folder.back_to(None).await.unwrap_err();
    assert!(matches!(error, ApplyError::Policies(PoliciesError::First(1))), "{error}");
    assert_eq!(folder.back_to(Some(2)).await.unwrap(), 2);
    assert!(folder.has_rule("extra"));
}

#[tokio::test]
async fn going_back_goes_to_what_was_in_force() {
    let folder = Folder::new().await;
    for number in [2, 3] {
        folder.write("extra.cedar", &format!("// {number}\n{RULE}"));
        assert_eq!(folder.apply_as(&Actor::local()).await.unwrap().0.number, number);
    }
    assert_eq!(folder.back_to(Some(2)).await.unwrap(), 2);
    folder.write("extra.cedar", &format!("// 4\n{RULE}"));
    assert_eq!(folder.apply_as(&Actor::local()).await.unwrap().0.number, 4);
    assert_eq!(folder.back_to(None).await.unwrap(), 2, "3 was given up");
    assert_eq!(folder.back_to(None).await.unwrap(), 1);
}

#[tokio::test]
async fn rules_do_not_come_to_mean_something_else_by_the_configuration() {
    let mut folder = Folder::new().await;
    let as_it_was = folder.config.clone();
    let owned = "[collections.orders]\nowner = \"user_id\"";
    assert!(config::DEFAULT.contains(owned));
    let text = config::DEFAULT.replace(owned, "[collections.orders]");
    let other = Config::parse(&as_it_was.data, config::FILE_NAME, &text).unwrap();
    folder.config.collections = other.collections;
    let error = Policies::open(&folder.config).err().unwrap();
    assert!(
        matches!(&error, PoliciesError::Changed { generation: 1, names } if names == &["orders"]),
        "{error}"
    );
    assert!(error.to_string().contains("`postern policy apply`"), "{error}");
    let new = Loaded::folder(&folder.config, &folder.config.policies).unwrap();
    let rules = new.shared();
    let actor = Actor::local();
    let desk = folder.desk(&rules, &actor);
    let made = apply(&desk, &folder.config, &new, &Difference::default()).await.unwrap();
    assert_eq!(Policies::open(&folder.config).unwrap().generation(), made.number);
    // A host that runs under the other configuration keeps what it has.
    assert!(folder.host.app.policy.follow(&as_it_was).is_err());
    assert_eq!(folder.host.app.policy.generation(), 1);
    let error = folder.back_to(Some(1)).await.unwrap_err();
    assert!(matches!(error, ApplyError::Policies(PoliciesError::Changed { .. })), "{error}");
}

#[tokio::test]
async fn rules_that_are_refused_change_nothing_and_all_errors_are_named() {
    let folder = Folder::new().await;
    folder.write("extra.cedar", "permit (principal, action, resource);");
    folder.write(
        "other.cedar",
        "@id(\"x\") permit (principal, action == Action::\"fly\", resource);",
    );
    let error = folder.apply_as(&Actor::local()).await.err().unwrap().to_string();
    assert!(error.contains("extra.cedar:1") && error.contains("other.cedar:1"), "{error}");
    assert_eq!(Generations::open(&folder.config.data).unwrap().numbers().unwrap(), [1]);
}

#[tokio::test]
async fn who_may_not_apply_changes_nothing_and_the_try_is_written_down() {
    let folder = Folder::new().await;
    folder.write("extra.cedar", RULE);
    let app = &folder.host.app;
    let token =
        crate::approvals::tests::fixture::operator(app, "zoe", &[postern_domain::Role::Author]);
    let zoe = crate::approvals::tests::fixture::actor(app, &token.await).await;
    let error = folder.apply_as(&zoe).await.err().unwrap();
    assert!(matches!(error, ApplyError::Act(ActError::Refused { .. })), "{error}");
    let row = folder.last_row().await;
    assert_eq!((row.actor.as_str(), row.action.as_str()), ("operator:zoe", "policy:apply"));
    assert!(!folder.has_rule("extra"));
    assert_eq!(Generations::open(&folder.config.data).unwrap().numbers().unwrap(), [1]);
}

#[tokio::test]
async fn a_generation_never_changes_and_damage_is_seen() {
    let folder = Folder::new().await;
    let generations = Generations::open(&folder.config.data).unwrap();
    let file = folder.config.data.join("policy/generations/1.json");
    let text = fs::read_to_string(&file).unwrap();
    fs::write(&file, text.replacen("permit", "forbid", 1)).unwrap();
    let error = generations.read(1).unwrap_err();
    assert!(matches!(error, PoliciesError::Damaged { .. }), "{error}");
    assert!(Policies::open(&folder.config).is_err());

    // The host that runs keeps what it has.
    let policies = &folder.host.app.policy;
    fs::write(folder.config.data.join("policy/current"), "7").unwrap();
    let error = policies.follow(&folder.config).unwrap_err();
    assert!(matches!(error, PoliciesError::NoGeneration(7)), "{error}");
    assert_eq!(policies.generation(), 1);
}

#[tokio::test]
async fn a_changed_rule_a_removed_one_and_other_files_are_told_apart() {
    let folder = Folder::new().await;
    folder.write("extra.cedar", &format!("{RULE}\n// About the next one.\n@id(\"second\")\npermit (principal, action == Action::\"kv:set\", resource);\n"));
    folder.apply_as(&Actor::local()).await.unwrap();
    // A comment is no rule.
    folder.write("extra.cedar", &format!("// More words.\n{}", RULE.replace("kv:get", "kv:set")));
    let limits = folder.config.policies.join("limits.toml");
    let text = fs::read_to_string(&limits).unwrap();
    folder.write("limits.toml", &format!("{text}\n# Another word.\n"));
    let (made, difference) = folder.apply_as(&Actor::local()).await.unwrap();
    assert_eq!(made.number, 3);
    let expected = Difference {
        removed: vec!["second".to_owned()],
        changed: vec!["extra".to_owned()],
        files: vec!["limits.toml".to_owned()],
        ..Difference::default()
    };
    assert_eq!(difference, expected);
}

#[tokio::test]
async fn what_counts_as_personal_data_is_applied_with_the_rules() {
    let folder = Folder::new().await;
    let redacted = || {
        let policies = &folder.host.app.policy;
        policies.follow(&folder.config).unwrap();
        let detector = Arc::clone(policies.current().detector());
        detector.redact("voucher GIFT-AB12-CD34", Purpose::Placeholders).into_owned()
    };
    let own = "[[pattern]]\ntype = \"VOUCHER\"\nregex = \"GIFT(?:-[0-9A-Z]{4}){2}\"\n";
    folder.write("privacy.toml", &own.replace("GIFT(", "GIFT(("));
    let error = folder.apply_as(&Actor::local()).await.unwrap_err().to_string();
    assert!(error.contains("privacy.toml:1:1: pattern \"VOUCHER\""), "{error}");
    assert_eq!(redacted(), "voucher GIFT-AB12-CD34");

    folder.write("privacy.toml", own);
    let (_, difference) = folder.apply_as(&Actor::local()).await.unwrap();
    assert_eq!(difference.files, ["privacy.toml"]);
    assert_eq!(redacted(), "voucher [VOUCHER]");
    folder.back_to(None).await.unwrap();
    assert_eq!(redacted(), "voucher GIFT-AB12-CD34");
}

#[tokio::test]
async fn the_first_generation_is_made_once() {
    let folder = Folder::new().await;
    let at = Timestamp::from_millis(5);
    assert_eq!(first(&folder.config, "operator:cli", at).unwrap(), None);
    fs::remove_dir_all(folder.config.data.join("policy")).unwrap();
    let none = Policies::open(&folder.config).err().unwrap();
    assert!(none.to_string().contains("postern policy apply"), "{none}");
    assert_eq!(first(&folder.config, "operator:cli", at).unwrap().unwrap().number, 1);
}
