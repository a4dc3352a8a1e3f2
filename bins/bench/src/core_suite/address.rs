//! Texts of addresses, of which every answer of a node is full.

use std::hint::black_box;

use venus_core::types::{Address, Network, address};

use crate::measure::{BenchError, Effort, Measure, Names, compare, over, same};

const BASELINE: &str = "fvm_shared";
const PARSE: Names = Names { measure: "address_parse", baseline: BASELINE };
const PRINT: Names = Names { measure: "address_print", baseline: BASELINE };
const PARSE_MANY: Names = Names { measure: "address_parse_1000", baseline: BASELINE };
const PRINT_MANY: Names = Names { measure: "address_print_1000", baseline: BASELINE };

pub(super) fn measure(effort: &Effort) -> Result<[Measure; 4], BenchError> {
    let addresses = (0..1000).map(an_address).collect::<Result<Vec<_>, _>>()?;
    let texts: Vec<String> = addresses.iter().map(print).collect();
    for (address, text) in addresses.iter().zip(&texts) {
        same(PARSE, &parse(text)?, address)?;
        same(PARSE, &baseline_parse(text)?, address)?;
        same(PRINT, text, &baseline_print(address))?;
    }
    same(PARSE_MANY, &address::parse_many(&texts), &texts.iter().map(|text| address::parse(text)).collect())?;
    same(PRINT_MANY, &address::format_many(&addresses, Network::Mainnet), &texts)?;
    let parse_many = || drop(black_box(address::parse_many(black_box(&texts))));
    let print_many = || drop(black_box(address::format_many(black_box(&addresses), Network::Mainnet)));
    // Both sides of the last two keep what they make, as who needs a thousand at once does.
    let baseline_parse_many =
        || drop(black_box(black_box(&texts).iter().map(|text| baseline_parse(text)).collect::<Vec<_>>()));
    let baseline_print_many =
        || drop(black_box(black_box(&addresses).iter().map(baseline_print).collect::<Vec<_>>()));
    let each = texts.len();
    Ok([
        compare(
            PARSE,
            effort,
            each,
            over(&texts, |text| parse(text)),
            over(&texts, |text| baseline_parse(text)),
        ),
        compare(PRINT, effort, each, over(&addresses, print), over(&addresses, baseline_print)),
        compare(PARSE_MANY, effort, each, parse_many, baseline_parse_many),
        compare(PRINT_MANY, effort, each, print_many, baseline_print_many),
    ])
}

fn parse(text: &str) -> Result<Address, BenchError> {
    address::parse(text).map_err(|error| PARSE.input(error))
}

fn print(address: &Address) -> String {
    address::format(address, Network::Mainnet)
}

fn baseline_parse(text: &str) -> Result<Address, BenchError> {
    Network::Mainnet.parse_address(text).map_err(|error| PARSE.failed(error))
}

/// The prefix of a process that was not told its network is that of mainnet.
fn baseline_print(address: &Address) -> String {
    address.to_string()
}

/// The kinds by turns: actor IDs, both kinds of key addresses, actors, Ethereum addresses.
fn an_address(n: u64) -> Result<Address, BenchError> {
    let seed = n.to_be_bytes();
    let address = match n % 5 {
        0 => Ok(Address::new_id(1000 + n * n * n)),
        1 => Address::new_secp256k1(&repeated::<65>(seed)),
        2 => Ok(Address::new_actor(&seed)),
        3 => Address::new_bls(&repeated::<48>(seed)),
        _ => Address::new_delegated(10, &repeated::<20>(seed)),
    };
    address.map_err(|error| PARSE.input(error))
}

fn repeated<const N: usize>(seed: [u8; 8]) -> [u8; N] {
    let mut bytes = [0; N];
    bytes
        .iter_mut()
        .zip(seed.iter().cycle().zip(1_u8..))
        .for_each(|(to, (from, n))| *to = from.wrapping_mul(n));
    bytes
}
