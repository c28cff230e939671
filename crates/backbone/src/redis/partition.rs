//! Where a name lies in a cluster: its partition, the partition's hash tag, the tag's slot. Pure.

/// Slots of a Redis Cluster.
pub(crate) const SLOTS: u16 = 16_384;

/// The slot of a key, by its hash tag if it has one: CRC16/XMODEM modulo 16,384 (Redis Cluster specification, "Key
/// distribution model").
pub(crate) fn slot_of(key: &[u8]) -> u16 {
    let tag = key.iter().position(|byte| *byte == b'{').and_then(|open| {
        let inside = &key[open + 1..];
        let close = inside.iter().position(|byte| *byte == b'}')?;
        (close > 0).then(|| &inside[..close])
    });
    Crc16::default().add(tag.unwrap_or(key)).modulo(SLOTS)
}

/// A CRC16/XMODEM that bytes are added to.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Crc16(u16);

impl Crc16 {
    pub(crate) fn add(self, bytes: &[u8]) -> Self {
        let step = |crc: u16, byte: &u8| (crc << 8) ^ TABLE[usize::from((crc >> 8) as u8 ^ byte)];
        Self(bytes.iter().fold(self.0, step))
    }

    /// The sum, of so many.
    pub(crate) fn modulo(self, count: u16) -> u16 {
        self.0 % count
    }
}

/// A hash tag for each partition, such that the slots of all lie evenly: the n-th in the middle of the n-th of as many equal
/// ranges. However many servers share the slots in ranges, each then has as many partitions as any other, give or take one.
pub(crate) fn tags(partitions: u16) -> Vec<String> {
    let mut tags = vec![String::new(); usize::from(partitions)];
    let mut missing = tags.len();
    for number in 0_u32.. {
        if missing == 0 {
            break;
        }
        let tag = number.to_string();
        let slot = slot_of(tag.as_bytes());
        let partition = partition_of_slot(slot, partitions);
        let place = &mut tags[usize::from(partition)];
        if place.is_empty() && slot == middle(partition, partitions) {
            *place = tag;
            missing -= 1;
        }
    }
    tags
}

/// The partition in whose range a slot lies.
pub(crate) fn partition_of_slot(slot: u16, partitions: u16) -> u16 {
    (u32::from(slot) * u32::from(partitions) / u32::from(SLOTS)) as u16
}

/// The slot of a partition.
pub(crate) fn middle(partition: u16, partitions: u16) -> u16 {
    ((2 * u32::from(partition) + 1) * u32::from(SLOTS) / (2 * u32::from(partitions))) as u16
}

/// What a byte does to the sum.
const TABLE: [u16; 256] = {
    let mut table = [0; 256];
    let mut byte = 0;
    while byte < table.len() {
        let mut crc = (byte as u16) << 8;
        let mut bit = 0;
        while bit < 8 {
            crc = if crc & 0x8000 == 0 { crc << 1 } else { (crc << 1) ^ 0x1021 };
            bit += 1;
        }
        table[byte] = crc;
        byte += 1;
    }
    table
};

#[cfg(test)]
mod tests {
    use super::*;

    fn crc16(bytes: &[u8]) -> u16 {
        Crc16::default().add(bytes).0
    }

    #[test]
    fn slots_are_those_of_the_specification() {
        assert_eq!(crc16(b"123456789"), 0x31c3);
        assert_eq!(slot_of(b"foo"), 12_182);
        assert_eq!(slot_of(b"{user1000}.following"), slot_of(b"user1000"));
        assert_eq!(slot_of(b"foo{}{bar}"), crc16(b"foo{}{bar}") % SLOTS);
        assert_eq!(slot_of(b"foo{{bar}}zap"), slot_of(b"{bar"));
    }

    #[test]
    fn the_slot_of_a_tag_is_that_of_its_partition() {
        for partitions in [1, 3, 16, 100, 128, 1024] {
            for (partition, tag) in (0..).zip(tags(partitions)) {
                assert_eq!(slot_of(tag.as_bytes()), middle(partition, partitions));
                assert_eq!(partition_of_slot(slot_of(tag.as_bytes()), partitions), partition);
            }
        }
    }

    #[test]
    fn any_number_of_servers_gets_its_share() {
        for partitions in [1, 16, 128, 1024] {
            let slots: Vec<u16> = tags(partitions).iter().map(|tag| slot_of(tag.as_bytes())).collect();
            for servers in 1..=32_u32 {
                let mut shares = vec![0_u32; servers as usize];
                for slot in &slots {
                    shares[(u32::from(*slot) * servers / u32::from(SLOTS)) as usize] += 1;
                }
                let even = u32::from(partitions) / servers;
                let fair = even..=even + 1;
                assert!(shares.iter().all(|share| fair.contains(share)), "{servers}: {shares:?}");
            }
        }
    }
}
