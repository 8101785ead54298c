//! The fuzz targets for a moment, with fixed seeds: random bytes, and sound ones that are changed here and there.

use std::{fs, sync::Arc};

use tstable_core::{
    coverage::{BucketId, Coverage, Entity, EntityPart},
    log::{Version, checkpoint::checkpoint_path},
    storage::{Storage, memory::MemoryStorage},
};

use super::world::{Files, append, created};

#[allow(dead_code)]
#[path = "../../../fuzz/targets.rs"]
mod targets;

struct Numbers(u64);

impl Numbers {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((self.0 >> 33) % bound.max(1) as u64) as usize
    }

    fn bytes(&mut self, most: usize) -> Vec<u8> {
        (0..self.below(most)).map(|_| self.below(256) as u8).collect()
    }
}

/// Calls the target with each seed, with changes of it, and with random bytes.
fn run(target: fn(&[u8]), seeds: &[Vec<u8>], rounds: usize) {
    seeds.iter().for_each(|seed| target(seed));
    let mut numbers = Numbers(42);
    for _ in 0..rounds {
        target(&numbers.bytes(64));
        for seed in seeds {
            let mut changed = seed.clone();
            for _ in 0..=numbers.below(3) {
                let at = numbers.below(changed.len());
                match numbers.below(4) {
                    0 => changed.truncate(at),
                    1 => changed.insert(at, numbers.below(256) as u8),
                    _ => changed.get_mut(at).into_iter().for_each(|byte| *byte ^= 1 << numbers.below(8)),
                }
            }
            target(&changed);
        }
    }
}

/// Files of a small sound table, without the checksums around them that would stop every change at once.
fn seeds() -> [Vec<Vec<u8>>; 3] {
    let files = Files::new();
    let storage: Arc<dyn Storage> = Arc::new(MemoryStorage::new("memory"));
    let table = created(&storage);
    let appended = append(&table, &[&files.first, &files.second]).unwrap();
    table.checkpoint().unwrap();
    let read = |path: &str| storage.read(path, 1 << 20).unwrap().unwrap();
    let commits = (1..3).map(|v| String::from_utf8(read(&Version(v).commit_path())).unwrap());
    let commits = commits.map(|text| text.as_bytes()[..text.rfind(",\"checksum\"").unwrap()].to_vec());
    let checkpoint = read(&checkpoint_path(Version(2)));
    // As the target takes it: the length of the state in two bytes, the state, the blocks.
    let length = |at: usize| u64::from_le_bytes(checkpoint[at..at + 8].try_into().unwrap()) as usize;
    let sealed = [&checkpoint[8..10], &checkpoint[32..32 + length(8) + length(16)]].concat();
    let coverages = [appended.snapshot.coverage().unwrap().as_ref().clone(), of_all_kinds()].map(|coverage| {
        let bytes = coverage.to_bytes();
        bytes[..bytes.len() - 8].to_vec()
    });
    [commits.collect(), vec![sealed], coverages.to_vec()]
}

/// Coverage of entities with a value of each kind.
fn of_all_kinds() -> Coverage {
    let mut coverage = Coverage::new();
    for n in 0..5_i64 {
        let day = i32::try_from(n).unwrap() - 2;
        let parts = [
            EntityPart::from("NVDA"),
            EntityPart::from(n - 2),
            EntityPart::from(u64::MAX),
            EntityPart::Bool(n % 2 == 0),
            EntityPart::Date(day),
            EntityPart::Uuid(u128::MAX >> n),
        ];
        coverage.insert(&Entity::from(parts.to_vec()), BucketId(n * 1000));
    }
    coverage
}

/// The inputs that fuzzing begins with.
fn corpus(target: &str) -> Vec<Vec<u8>> {
    let directory = format!("{}/../fuzz/corpus/{target}", env!("CARGO_MANIFEST_DIR"));
    let inputs: Vec<_> = fs::read_dir(directory).unwrap().map(|e| fs::read(e.unwrap().path()).unwrap()).collect();
    assert!(!inputs.is_empty());
    inputs
}

#[test]
fn what_fuzzing_found_is_survived() {
    corpus("commit").iter().for_each(|input| targets::commit(input));
    corpus("checkpoint").iter().for_each(|input| targets::checkpoint(input));
    corpus("coverage").iter().for_each(|input| targets::coverage(input));
    corpus("parsing").iter().for_each(|input| targets::parsing(input));
    targets::operations(b"point\0\0int\0\0\0");
}

#[test]
fn decoders_survive_any_bytes() {
    let [commits, checkpoints, coverages] = seeds();
    run(targets::commit, &commits, 1500);
    run(targets::checkpoint, &checkpoints, 1500);
    run(targets::coverage, &coverages, 3000);
}

#[test]
fn words_are_parsed_or_refused() {
    let words = [
        "1h",
        "15m",
        "1mo",
        "1000",
        "skip_file",
        "rewrite",
        "Europe/Berlin",
        "0000000001.json",
        "data/x.parquet",
        "550e8400-e29b-41d4-a716-446655440000",
        "2024-02-29",
        "TRUE",
        "-128",
    ];
    run(targets::parsing, &words.map(|word| word.as_bytes().to_vec()), 2000);
}

#[test]
fn tables_agree_with_a_model_after_any_operations() {
    let mut numbers = Numbers(1);
    for _ in 0..12 {
        let operations: Vec<u8> = (0..48).map(|_| numbers.below(256) as u8).collect();
        targets::operations(&operations);
    }
}
