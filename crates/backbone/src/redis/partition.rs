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
    crc16(tag.unwrap_or(key)) % SLOTS
}

/// The partition of a name, of so many.
pub(crate) fn partition_of(name: &[u8], partitions: u16) -> u16 {
    crc16(name) % partitions
}

/// A hash tag for each partition, such that the slots of all lie evenly: the n-th in the middle eighth of the n-th of as
/// many equal ranges. However many servers share the slots in ranges, each then has nearly the same number of partitions.
pub(crate) fn tags(partitions: u16) -> Vec<String> {
    let mut tags = vec![String::new(); usize::from(partitions)];
    let mut missing = tags.len();
    // In parts of a slot, so that any number of ranges is even.
    let (slots, partitions) = (u64::from(SLOTS), u64::from(partitions));
    for number in 0_u32.. {
        if missing == 0 {
            break;
        }
        let tag = number.to_string();
        let part = u64::from(slot_of(tag.as_bytes())) * partitions;
        let from_middle = (part % slots).abs_diff(slots / 2);
        let place = &mut tags[(part / slots) as usize];
        if place.is_empty() && from_middle <= (slots / 16).max(partitions) {
            *place = tag;
            missing -= 1;
        }
    }
    tags
}

fn crc16(bytes: &[u8]) -> u16 {
    bytes.iter().fold(0, |crc, byte| {
        (0..8).fold(crc ^ (u16::from(*byte) << 8), |crc, _| {
            if crc & 0x8000 == 0 { crc << 1 } else { (crc << 1) ^ 0x1021 }
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slots_are_those_of_the_specification() {
        assert_eq!(crc16(b"123456789"), 0x31c3);
        assert_eq!(slot_of(b"foo"), 12_182);
        assert_eq!(slot_of(b"{user1000}.following"), slot_of(b"user1000"));
        assert_eq!(slot_of(b"foo{}{bar}"), crc16(b"foo{}{bar}") % SLOTS);
        assert_eq!(slot_of(b"foo{{bar}}zap"), slot_of(b"{bar"));
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
                let fair = u32::from(partitions).div_ceil(servers);
                assert!(shares.iter().all(|share| share.abs_diff(fair) <= 1), "{servers}: {shares:?}");
            }
        }
    }
}
