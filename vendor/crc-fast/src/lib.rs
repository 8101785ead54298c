//! The one checksum that `object_store` takes from the crate `crc-fast`: CRC-64/NVME, and that only when `AWS_CHECKSUM_ALGORITHM` asks
//! for it. The crate itself brings the tables of a hundred others and a C interface to them, which a library that is linked with it
//! exports whether or not anybody calls it: 26 names and a megabyte.

/// The polynomial of CRC-64/NVME, its bits from right to left.
const POLYNOMIAL: u64 = 0x9a6c_9329_ac4b_c9b5;
const TABLE: [u64; 256] = table();

/// The checksums that there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CrcAlgorithm {
    /// CRC-64/NVME.
    Crc64Nvme,
}

/// A checksum of the bytes so far.
#[derive(Debug, Clone, Copy)]
pub struct Digest(u64);

impl Digest {
    /// The checksum of no bytes.
    #[must_use]
    pub fn new(CrcAlgorithm::Crc64Nvme: CrcAlgorithm) -> Self {
        Self(u64::MAX)
    }

    /// Takes in more bytes.
    pub fn update(&mut self, bytes: &[u8]) {
        for byte in bytes {
            let [low, ..] = self.0.to_le_bytes();
            let entry = TABLE.get(usize::from(low ^ byte)).copied().unwrap_or_default();
            self.0 = entry ^ (self.0 >> 8);
        }
    }

    /// The checksum of all bytes so far.
    #[must_use]
    pub fn finalize(&self) -> u64 {
        !self.0
    }
}

/// What each byte makes of a checksum of zero.
#[allow(clippy::indexing_slicing)] // The index is below the length.
const fn table() -> [u64; 256] {
    let mut table = [0; 256];
    let mut i = 0;
    while i < table.len() {
        let (mut sum, mut bit) = (i as u64, 0);
        while bit < 8 {
            sum = if sum & 1 == 1 { (sum >> 1) ^ POLYNOMIAL } else { sum >> 1 };
            bit += 1;
        }
        table[i] = sum;
        i += 1;
    }
    table
}

#[cfg(test)]
mod tests {
    use super::{CrcAlgorithm, Digest};

    /// The check value of the catalogue of CRCs (reveng.sourceforge.io/crc-catalogue/all.htm).
    #[test]
    fn the_digits_from_one_to_nine_give_the_published_value_however_they_are_cut() {
        let digits = b"123456789";
        for cut in 0..=digits.len() {
            let mut digest = Digest::new(CrcAlgorithm::Crc64Nvme);
            digest.update(digits.get(..cut).unwrap_or_default());
            digest.update(digits.get(cut..).unwrap_or_default());
            assert_eq!(digest.finalize(), 0xae8b_1486_0a79_9888);
        }
    }
}
