//! Skills that misbehave cost their own turn and nothing else.

use anyhow::{Result, ensure};
use futures_util::future::try_join_all;
use postern_domain::SkillFailure;
use postern_test_support::host::Host;

use crate::setup::{Customer, Town, Untouched, outcome, skill};

/// A hostile skill, words for its intent, and what must be said about its end.
struct Hostile {
    skill: &'static str,
    words: &'static str,
    reason: &'static str,
    ends: fn(&SkillFailure) -> bool,
}

fn limit_is(failure: &SkillFailure, name: &str) -> bool {
    matches!(failure, SkillFailure::Limit { limit, .. } if limit == name)
}

const HOSTILE: [Hostile; 4] = [
    Hostile {
        skill: "looper",
        words: "please spin forever",
        reason: "skill looper: limit cpu_time of 500 ms reached",
        ends: |failure| limit_is(failure, "cpu_time"),
    },
    Hostile {
        skill: "hoarder",
        words: "eat all the memory",
        reason: "skill hoarder: limit memory of 64 MiB reached",
        ends: |failure| limit_is(failure, "memory"),
    },
    Hostile {
        skill: "trapper",
        words: "please crash on purpose",
        reason: "skill trapper: trapped: ",
        ends: |failure| matches!(failure, SkillFailure::Trap { .. }),
    },
    Hostile {
        skill: "chatty",
        words: "chatter with the host all day",
        reason: "skill chatty: limit host_calls:kv of 100 calls reached",
        ends: |failure| limit_is(failure, "host_calls:kv"),
    },
];

#[tokio::test]
async fn each_hostile_skill_costs_its_own_turn_only() -> Result<()> {
    let town = Town::with_sample_shop().await?;
    for hostile in &HOSTILE {
        town.data.install(&skill(hostile.skill)?).await?;
    }
    let host = town.open().await?;
    // All at once, and beside them somebody who only asks for an order.
    let visits = (81..).zip(&HOSTILE).map(|(id, hostile)| visit(&town, &host, id, hostile));
    let bystander = async {
        for id in 91..94 {
            asks_for_an_order(&mut Customer::new(&town, &host, id), "waiting_customer").await?;
        }
        Ok(())
    };
    futures_util::future::try_join(try_join_all(visits), bystander).await?;
    Ok(())
}

async fn visit(town: &Town, host: &Host, id: i64, hostile: &Hostile) -> Result<()> {
    let mut customer = Customer::new(town, host, id);
    let told = customer.says(hostile.words).await?;
    // Civil, and nothing about the machine's inside.
    told.must_say("I am sorry, I cannot find that out right now.")?;
    for inside in [hostile.skill, "limit", "trap", "memory", "wasm"] {
        told.must_not_say(inside)?;
    }
    told.must_wait_for_a_person(hostile.reason)?;
    let tools = told.tools();
    let [run] = tools[..] else { anyhow::bail!("{tools:?}") };
    ensure!(run.skill.as_str() == hostile.skill, "{run:?}");
    let Some(Err(failure)) = &run.result else { anyhow::bail!("{run:?}") };
    ensure!((hostile.ends)(failure), "{failure:?}");
    // Its time has a bound, also on a busy machine.
    ensure!(run.cpu_us < 5_000_000 && run.memory_bytes <= 64 << 20, "{run:?}");

    asks_for_an_order(&mut customer, "open").await?;
    // And again, as if nothing had been.
    customer.says(hostile.words).await?.must_wait_for_a_person(hostile.reason)?;
    let told = customer.says("What's the status of order #W1205408?").await?;
    told.must_say("#W1205408 is processed")?;
    Ok(())
}

async fn asks_for_an_order(customer: &mut Customer<'_>, status: &str) -> Result<()> {
    let told = customer.says("What's the status of order #W1205408?").await?;
    ensure!(told.ticket()?.status.as_str() == status, "{:?}", told.ticket());
    let told = customer.says("ravi.patel@example.com").await?;
    told.must_use("order-status", "order_status")?.must_say("#W1205408 is processed")?;
    Ok(())
}

#[tokio::test]
async fn an_import_that_was_not_granted_is_refused_at_install_by_name() -> Result<()> {
    let town = Town::build(&["crm-lookup"]).await?;
    let reacher = skill("reacher")?;
    let manifest = std::fs::read_to_string(&reacher.manifest)?;
    let asks_for_log = "[[capabilities]]\ninterface = \"log\"\nreason = \"It logs.\"\n";
    let both = town.data.path().join("both.toml");
    std::fs::write(&both, format!("{manifest}\n{asks_for_log}"))?;
    let http_only = town.data.path().join("http.toml");
    std::fs::write(&http_only, &manifest)?;
    let log_only = town.data.path().join("log.toml");
    let asks_for_http = "interface = \"http\"";
    ensure!(manifest.contains(asks_for_http));
    std::fs::write(&log_only, manifest.replace(asks_for_http, "interface = \"log\""))?;

    let before = Untouched::now(&town.data).await?;
    let component = reacher.component.display().to_string();
    let cases = [
        (
            &both,
            "log",
            "component imports postern:http/client@0.1.0, which skill reacher was not granted",
        ),
        (
            &both,
            "",
            "component imports postern:http/client@0.1.0, which skill reacher was not granted",
        ),
        (
            &log_only,
            "requested",
            "skill reacher imports postern:http, which its manifest does not request",
        ),
        (&http_only, "log", "--grant: the manifest of reacher does not request log"),
        (&http_only, "sockets", "--grant: \"sockets\" is not a capability"),
    ];
    for (manifest, grant, reason) in cases {
        let manifest = manifest.display().to_string();
        let install = [
            "skill",
            "install",
            &component,
            "--manifest",
            &manifest,
            "--grant",
            grant,
            "--allow-unsigned",
        ];
        let (code, _, complaint) = outcome(&town.data, &install).await?;
        ensure!(code == Some(1) && complaint.contains(reason), "{code:?} {complaint}");
        before.must_hold(&town.data, &format!("--grant {grant:?}")).await?;
    }
    Ok(())
}

#[tokio::test]
async fn a_granted_skill_still_reaches_only_what_policy_allows() -> Result<()> {
    let town = Town::build(&["crm-lookup"]).await?;
    town.data.install(&skill("reacher")?).await?;
    let host = town.open().await?;
    let mut customer = Customer::new(&town, &host, 95);
    let told = customer.says("phone the mothership at once").await?;
    told.must_use("reacher", "phone_home")?.must_say("refused")?;
    let calls = told.calls();
    ensure!(calls.iter().all(|call| call.decision != postern_domain::Decision::Allow), "{calls:?}");
    // Nothing of the machine is inside the sandbox.
    let told = customer.says("look around outside the sandbox").await?;
    told.must_use("reacher", "look_around")?;
    let seen: serde_json::Value = serde_json::from_str(told.answers.last().map_or("", |a| a))?;
    for closed in [
        "read_passwd",
        "list_root",
        "write_file",
        "tcp_connect",
        "tcp_listen",
        "udp_bind",
        "resolve",
    ] {
        ensure!(seen[closed] == false, "{closed}: {seen}");
    }
    ensure!(seen["environment"] == serde_json::json!({}), "{seen}");
    Ok(())
}
