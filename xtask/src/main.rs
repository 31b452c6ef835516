//! What the README's commands run: builds skills, plays the demo, runs the
//! tests and the checks. It has no dependencies, so that it starts at once.

mod bench;
mod build;
mod crash;
mod fuzz;
mod hostile;
mod layers;
mod peers;
mod run;
mod scripted;
mod target;
mod tests;

use std::{path::PathBuf, process::ExitCode};

use run::Failure;

const USAGE: &str = "\
usage: cargo xtask <command>

  demo [--once] [--records FILE] [--data DIR] [--json]
                  builds everything and plays conversations through a running host
  test            builds everything and runs every test
  build-skills    builds the skills and the test guests to WebAssembly components
  hostile [NAME] [--json|--list]
                  tries every attack of the test guests on a host
  fuzz [manifest|component|boundary|http] [--seconds N] [--seed N] [--replay FILE]
                  feeds random and mutated input to what reads what strangers wrote
  crash [--points N] [--seed N]
                  kills hosts at every boundary of a turn, 500 times if nothing else is
                  said, and checks that everything was done once
  reference       writes docs/reference from the WIT packages
  layers          checks which crate may depend on which
  bench [--json] [--peers] [--quick]
                  measures an optimised host against wasmtime alone and against what
                  people use instead; --peers adds those that take long to build
  peers [--figures] [--wkg]
                  measures the detector of personal data against Presidio, from PyPI;
                  --figures says also how good what each finds is; --wkg exchanges
                  skills with the command wkg through a registry instead
  ci              runs what CI runs: .ci/run
  help            shows this";

#[derive(Debug, PartialEq, Eq)]
enum Command {
    Demo(Vec<String>),
    Test,
    BuildSkills,
    Hostile(Vec<String>),
    Fuzz(Vec<String>),
    Crash(crash::Options),
    Layers,
    Reference,
    Bench(Vec<String>),
    Peers(Vec<String>),
    Ci,
    Help,
}

impl Command {
    /// The command that the arguments name, or what is wrong with them.
    fn parse(arguments: &[String]) -> Result<Self, String> {
        let Some((name, rest)) = arguments.split_first() else {
            return Err("a command is missing".to_owned());
        };
        let command = match name.as_str() {
            "demo" => return demo_arguments(rest).map(Self::Demo),
            "bench" => return bench_arguments(rest).map(Self::Bench),
            "peers" => return peers::arguments(rest).map(Self::Peers),
            "hostile" => return Ok(Self::Hostile(rest.to_vec())),
            "crash" => return crash::Options::parse(rest).map(Self::Crash),
            "fuzz" => return Ok(Self::Fuzz(rest.to_vec())),
            "test" => Self::Test,
            "build-skills" => Self::BuildSkills,
            "layers" => Self::Layers,
            "reference" => Self::Reference,
            "ci" => Self::Ci,
            "help" | "--help" | "-h" => Self::Help,
            other => return Err(format!("{other:?} is not a command")),
        };
        match rest.first() {
            Some(extra) => Err(format!("`{name}` takes no argument {extra:?}")),
            None => Ok(command),
        }
    }
}

/// The arguments of `bench`, checked for the same reason as those of `demo`.
fn bench_arguments(arguments: &[String]) -> Result<Vec<String>, String> {
    match arguments.iter().find(|a| !["--json", "--peers", "--quick"].contains(&a.as_str())) {
        Some(other) => Err(format!("`bench` takes no argument {other:?}")),
        None => Ok(arguments.to_vec()),
    }
}

/// The arguments of `demo`, checked here so that a typing error costs no build.
fn demo_arguments(arguments: &[String]) -> Result<Vec<String>, String> {
    let mut rest = arguments.iter();
    while let Some(argument) = rest.next() {
        match argument.as_str() {
            "--once" | "--json" => {}
            "--records" | "--data" => {
                if rest.next().is_none() {
                    return Err(format!("`demo {argument}` needs a path"));
                }
            }
            other => return Err(format!("`demo` takes no argument {other:?}")),
        }
    }
    Ok(arguments.to_vec())
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let command = match Command::parse(&arguments) {
        Ok(command) => command,
        Err(problem) => {
            eprintln!("xtask: {problem}\n\n{USAGE}");
            return ExitCode::from(2);
        }
    };
    match perform(command) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            if let Some(message) = failure.message() {
                eprintln!("xtask: {message}");
            }
            ExitCode::from(failure.code())
        }
    }
}

fn perform(command: Command) -> Result<(), Failure> {
    let root = root();
    match command {
        Command::Demo(arguments) => {
            build::host_and_skills(&root, 3)?;
            run::step(3, 3, "playing the demo");
            let demo = build::target_folder(&root).join("debug").join("demo");
            run::Run::new(demo).args(arguments).run()
        }
        Command::Test => tests::run(&root),
        Command::BuildSkills => build::skills_and_guests(&root),
        Command::Hostile(arguments) => hostile::run(&root, &arguments),
        Command::Fuzz(arguments) => fuzz::run(&root, &arguments),
        Command::Crash(options) => crash::run(&root, &options),
        Command::Layers => layers::check(&root),
        Command::Reference => run::Run::new("cargo")
            .within(&root)
            .args(["run", "--quiet", "-p", "postern-test-support", "--bin", "reference"])
            .run(),
        Command::Bench(arguments) => bench::run(&root, &arguments),
        Command::Peers(arguments) => peers::run(&root, &arguments),
        Command::Ci => run::Run::new(root.join(".ci").join("run")).within(&root).run(),
        Command::Help => {
            println!("{USAGE}");
            Ok(())
        }
    }
}

/// The repository: the folder above this package.
fn root() -> PathBuf {
    let mut root = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    root.pop();
    root
}

#[cfg(test)]
mod test {
    use super::*;

    fn check(arguments: &str, expected: Result<Command, &str>) {
        let arguments: Vec<String> = arguments.split_whitespace().map(str::to_owned).collect();
        assert_eq!(Command::parse(&arguments), expected.map_err(str::to_owned));
    }

    #[test]
    fn arguments_are_understood_or_refused_by_name() {
        check("test", Ok(Command::Test));
        check("--help", Ok(Command::Help));
        check("bench --peers", Ok(Command::Bench(vec!["--peers".into()])));
        check("bench --seconds 5", Err("`bench` takes no argument \"--seconds\""));
        check("peers --figures", Ok(Command::Peers(vec!["--figures".into()])));
        check("peers --fast", Err("`peers` takes no argument \"--fast\""));
        check("demo --once", Ok(Command::Demo(vec!["--once".into()])));
        check("", Err("a command is missing"));
        check("tset", Err("\"tset\" is not a command"));
        check("test --fast", Err("`test` takes no argument \"--fast\""));
        check("demo --onec", Err("`demo` takes no argument \"--onec\""));
        check("crash --points", Err("`crash --points` needs a number"));
        check("crash --seed x", Err("`crash --seed` needs a number"));
        check("crash --fast", Err("`crash` takes no argument \"--fast\""));
        check("demo --records", Err("`demo --records` needs a path"));
    }
}
