//! A process per call: the record on standard input, the answer on standard output.

use std::io::Read as _;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut record = String::new();
    std::io::stdin().read_to_string(&mut record)?;
    println!("{}", serde_json::to_string(&postern_peers::order_status(&record)?)?);
    Ok(())
}
