//! What the active skills taught the host to understand.

use std::{collections::BTreeMap, sync::LazyLock};

use postern_domain::{Manifest, SkillId};
use serde::{Deserialize, Serialize};

use crate::understand::{Classifier, EntityError, Example, Extractor, Found, Ranked, TrainError};

/// How likely an intent must be besides being in scope. With the shipped skills,
/// every fourth foreign message that passes the scope's own threshold is stopped
/// here, for one in twenty of ours, which then is asked about.
const LEAST_SURE: f32 = 0.6;

/// Where an intent leads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Route {
    /// To a tool of a skill.
    Tool {
        /// The skill.
        skill: SkillId,
        /// The tool.
        tool: String,
        /// Entities that must be known.
        required: Vec<String>,
        /// Entities that are passed on if mentioned.
        optional: Vec<String>,
    },
    /// To a ready answer.
    Talk {
        /// The answer.
        reply: String,
    },
}

/// What a message means.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Understanding {
    /// The likeliest intents, best first.
    pub ranked: Vec<RankedIntent>,
    /// Whether the best is likely enough.
    pub in_scope: bool,
    /// Entities in the message.
    pub entities: Vec<Mention>,
}

/// An entity in a message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mention {
    /// Its name.
    pub name: String,
    /// Its normal form; a placeholder if it is personal.
    pub value: String,
    /// The skills that declare it; none for the host's own.
    pub declared_by: Vec<SkillId>,
}

impl Mention {
    /// Whether it may fill an argument of this skill: what one skill declares
    /// under a name does not speak for another's entity of that name.
    pub fn is_for(&self, skill: &SkillId) -> bool {
        self.declared_by.is_empty() || self.declared_by.contains(skill)
    }
}

/// An intent and how likely it is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RankedIntent {
    /// The intent.
    pub intent: String,
    /// From 0 to 1.
    pub probability: f32,
}

impl Understanding {
    /// The best intent, if it is likely enough.
    pub fn intent(&self) -> Option<&RankedIntent> {
        self.ranked.first().filter(|_| self.in_scope)
    }

    /// The last mention of an entity of a skill.
    pub fn entity(&self, name: &str, skill: &SkillId) -> Option<&str> {
        let fits = |mention: &&Mention| mention.name == name && mention.is_for(skill);
        self.entities.iter().rev().find(fits).map(|mention| mention.value.as_str())
    }
}

/// Why a set of skills cannot be learnt from.
#[derive(Debug, thiserror::Error)]
pub enum BrainError {
    /// A pattern of an entity cannot be used.
    #[error(transparent)]
    Entity(#[from] EntityError),
    /// The examples cannot be learnt from.
    #[error(transparent)]
    Train(#[from] TrainError),
}

#[derive(Deserialize)]
struct SmallTalk {
    talk: Vec<Talk>,
}

#[derive(Deserialize)]
struct Talk {
    name: String,
    reply: String,
    examples: Vec<String>,
}

static SMALL_TALK: LazyLock<SmallTalk> = LazyLock::new(|| {
    toml::from_str(include_str!("brain/small_talk.toml")).expect("small_talk.toml is tested")
});

/// Understands messages.
pub struct Brain {
    classifier: Classifier,
    extractor: Extractor,
    routes: BTreeMap<String, Route>,
    /// The question for an entity, by name.
    questions: BTreeMap<String, String>,
    /// The tool that finds out who a customer is.
    identity_tool: Option<(SkillId, String)>,
}

impl Brain {
    /// Whether one manifest's entities can be used.
    ///
    /// # Errors
    /// A pattern is not a valid or bounded regular expression.
    pub fn check(manifest: &Manifest) -> Result<(), BrainError> {
        extractor(&[manifest])?;
        Ok(())
    }

    /// Learns from the manifests of all active skills.
    ///
    /// # Errors
    /// A pattern or the examples cannot be used.
    pub fn learn(manifests: &[&Manifest]) -> Result<Self, BrainError> {
        let mut examples = Vec::new();
        let mut routes = BTreeMap::new();
        let mut questions = BTreeMap::new();
        let mut identity_tool = None;
        for talk in &SMALL_TALK.talk {
            examples.extend(examples_of(&talk.name, &talk.examples));
            routes.insert(talk.name.clone(), Route::Talk { reply: talk.reply.clone() });
        }
        for manifest in manifests {
            let skill = &manifest.skill.id;
            for intent in &manifest.intents {
                examples.extend(examples_of(&intent.name, &intent.examples));
                let route = Route::Tool {
                    skill: skill.clone(),
                    tool: intent.tool.clone(),
                    required: intent.required.clone(),
                    optional: intent.optional.clone(),
                };
                routes.insert(intent.name.clone(), route);
            }
            for entity in &manifest.entities {
                questions.entry(entity.name.clone()).or_insert_with(|| entity.ask.clone());
            }
            if let (None, Some(tool)) =
                (&identity_tool, manifest.tools.iter().find(|t| t.identifies))
            {
                identity_tool = Some((skill.clone(), tool.name.clone()));
            }
        }
        let classifier = Classifier::train(&examples)?;
        Ok(Self { classifier, extractor: extractor(manifests)?, routes, questions, identity_tool })
    }

    /// The intents that a text may have, and whether the best is one of ours.
    pub fn classify(&self, text: &str) -> (Vec<RankedIntent>, bool) {
        let found = self.classifier.classify(text);
        let sure = found.ranked.first().is_some_and(|best| best.probability >= LEAST_SURE);
        let ranked = found
            .ranked
            .into_iter()
            .map(|Ranked { intent, probability }| RankedIntent { intent, probability })
            .collect();
        (ranked, found.in_scope && sure)
    }

    /// The entities in a text.
    pub fn extract(&self, text: &str) -> Vec<Found> {
        self.extractor.extract(text)
    }

    /// Where an intent leads.
    pub fn route(&self, intent: &str) -> Option<&Route> {
        self.routes.get(intent)
    }

    /// The question for an entity.
    pub fn question(&self, entity: &str) -> String {
        match (self.questions.get(entity), entity) {
            (Some(question), _) => question.clone(),
            (None, "email") => "What is the e-mail address of your account?".to_owned(),
            (None, other) => format!("Please tell me the {}.", other.replace('_', " ")),
        }
    }

    /// The tool that finds out who a customer is.
    pub fn identity_tool(&self) -> Option<&(SkillId, String)> {
        self.identity_tool.as_ref()
    }
}

fn examples_of(intent: &str, texts: &[String]) -> Vec<Example> {
    texts.iter().map(|text| Example { intent: intent.to_owned(), text: text.clone() }).collect()
}

fn extractor(manifests: &[&Manifest]) -> Result<Extractor, EntityError> {
    let entities: Vec<_> = manifests
        .iter()
        .flat_map(|m| m.entities.iter().map(|entity| (m.skill.id.clone(), entity.clone())))
        .collect();
    Extractor::new(&entities)
}
