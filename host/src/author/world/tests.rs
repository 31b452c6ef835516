use std::fs;

use super::*;
use crate::{
    author::{Language, NewSkill, Template},
    config::Config,
};

/// A new skill and a data folder for it, as far as it is made without a command.
fn world(template: Template) -> (tempfile::TempDir, World) {
    let folder = tempfile::tempdir().unwrap();
    let new = NewSkill {
        id: "mine".parse().unwrap(),
        publisher: "Somebody".to_owned(),
        language: Language::Rust,
        template,
    };
    let skill = new.make(folder.path()).unwrap();
    let data = skill.join(".postern");
    fs::create_dir_all(data.join("secrets")).unwrap();
    fs::create_dir_all(data.join("policies")).unwrap();
    write_private(&data.join("secrets/operator-token"), &[b'x'; 40]).unwrap();
    let world = World { data, skill, port: 0 };
    world.mark().unwrap();
    (folder, world)
}

fn read(world: &World) -> Config {
    Config::load(&world.data).unwrap()
}

#[test]
fn servers_of_a_skill_are_stood_in_for_wherever_they_are_named() {
    let (_folder, world) = world(Template::Http);
    let servers = world.servers().unwrap();
    let [server] = servers.as_slice() else { panic!("{servers:?}") };
    assert_eq!(
        (server.origin.as_str(), server.host.as_str()),
        ("https://status.example", "status.example")
    );
    world.configure(&[(server.clone(), 4711)]).unwrap();
    let config = read(&world);
    let endpoint = &config.endpoints["status"];
    assert_eq!(endpoint.url.as_str(), "http://127.0.0.1:4711/v1/");
    assert_eq!(endpoint.private[0].to_string(), LOOPBACK);
    let settings = &config.skill_settings[&"mine".parse().unwrap()];
    assert_eq!(settings["status_url"], "http://127.0.0.1:4711");
}

#[test]
fn what_the_skill_says_comes_over_the_default_and_nothing_else_is_lost() {
    let (_folder, world) = world(Template::Lookup);
    world.configure(&[]).unwrap();
    let config = read(&world);
    assert!(config.collections.get("bookings").is_some());
    assert!(config.collections.get("orders").is_some());
    assert_eq!(config.server.public.to_string(), "127.0.0.1:0");
}

#[test]
fn secrets_have_values_of_their_own() {
    let (_folder, world) = world(Template::Http);
    let path = world.skill.join(HOST_FILE);
    let secret = "\n[secrets.token]\nvalue = { env = \"NO_SUCH_VARIABLE\" }\nendpoint = \"status\"\nheader = \"authorization\"\n";
    let text = fs::read_to_string(&path).unwrap() + secret;
    fs::write(&path, text).unwrap();
    world.configure(&[]).unwrap_or_else(|error| panic!("{error}"));
    let written = fs::read_to_string(world.data.join("postern.toml")).unwrap();
    assert!(written.contains("secrets/dev-token") && !written.contains("NO_SUCH_VARIABLE"));
}

#[test]
fn a_data_folder_without_the_mark_is_nobodys_world() {
    let folder = tempfile::tempdir().unwrap();
    assert!(World::of(folder.path()).unwrap().is_none());
    let (_folder, world) = world(Template::Lookup);
    let found = World::of(&world.data).unwrap().unwrap();
    assert_eq!(found.skill, world.skill.canonicalize().unwrap());
}

#[test]
fn a_longer_name_is_another_server() {
    assert!(begins_with("https://a.example/x", "https://a.example"));
    assert!(begins_with("https://a.example", "https://a.example"));
    assert!(!begins_with("https://a.example.evil/x", "https://a.example"));
    assert!(!begins_with("https://a.example:1/x", "https://a.example"));
}
