//! Code CIDs of the builtin actors, as tools know them.

use cid::Cid;
use fvm_shared::ActorID;
use venus_core::actors::ActorKind;
use venus_core::cbor::{Encode, Writer};
use venus_core::types::blake2b_cid;

/// The network versions whose bundles are known, latest first.
const BUNDLES: &[Bundle] = &[V18, V16];

struct Bundle {
    network_version: u32,
    manifest: &'static str,
    codes: &'static [(ActorKind, &'static str)],
}

/// Code CIDs of a network version by kind; `None` for versions that this devnet knows nothing of.
pub(crate) fn codes(network_version: u32) -> Option<Vec<(ActorKind, Cid)>> {
    let bundle = BUNDLES.iter().find(|b| b.network_version == network_version)?;
    Some(bundle.codes.iter().filter_map(|(kind, text)| Some((*kind, text.parse().ok()?))).collect())
}

/// CID of the manifest that lists the codes of a network version.
pub(crate) fn manifest(network_version: u32) -> Option<Cid> {
    BUNDLES.iter().find(|b| b.network_version == network_version)?.manifest.parse().ok()
}

/// Code CID of a kind in the bundle that devnets run.
pub(crate) fn code(kind: ActorKind) -> Cid {
    static CODES: std::sync::LazyLock<Vec<(ActorKind, Cid)>> =
        std::sync::LazyLock::new(|| codes(crate::genesis::NETWORK_VERSION).unwrap_or_default());
    CODES.iter().find(|(known, _)| *known == kind).map(|(_, cid)| *cid).unwrap_or_default()
}

/// The kind behind a code CID of that bundle.
pub(crate) fn kind_of(code: &Cid) -> Option<ActorKind> {
    codes(crate::genesis::NETWORK_VERSION)?.into_iter().find(|(_, cid)| cid == code).map(|(kind, _)| kind)
}

/// CID of the list of names and codes that a manifest links to; the state of the system actor has it.
pub(crate) fn manifest_data(network_version: u32) -> Option<Cid> {
    let codes = codes(network_version)?;
    let mut w = Writer::new();
    w.array(codes.len() as u64);
    for (kind, cid) in codes {
        w.array(2);
        w.text(kind.manifest_name());
        cid.encode(&mut w);
    }
    Some(blake2b_cid(w.as_slice()))
}

/// IDs of the actors that every network has.
pub(crate) const MARKET: ActorID = 5;
/// The verified registry.
pub(crate) const VERIFREG: ActorID = 6;
/// The datacap token.
pub(crate) const DATACAP: ActorID = 7;
/// The Ethereum address manager.
pub(crate) const EAM: ActorID = 10;

// The lists are in the order of the manifests, which is that of the actors' type numbers.
const V18: Bundle = Bundle {
    network_version: 28,
    manifest: "bafy2bzaced35gjxagazf2fne5dakbok5abmivsh7cq7huwfuptebgwjmcpcf6",
    codes: &[
        (ActorKind::System, "bafk2bzacedced5maxljwmavukjvtnmknpzoullfcwk3upaz5x5hvvdl2pk24e"),
        (ActorKind::Init, "bafk2bzaced23vlf6nemlulavy2ouxuvudxe3jbu4klc74tcgruafrqu2fnt3c"),
        (ActorKind::Cron, "bafk2bzacedrv5m6tczd6dz6ly3zmenkljnokovduvgkbmgxvsawbalerciieg"),
        (ActorKind::Account, "bafk2bzacedpmhtrp2kdjoga2phrbi3f7z7wn25s3tluxoagcu7hsg2ppktxbw"),
        (ActorKind::Power, "bafk2bzacebydegz3ap6xgejojdu3usfddhyrj476f25ooahgcqko6d7djynas"),
        (ActorKind::Miner, "bafk2bzacedhvcxgdz2w75izwa5s5dwvsrxsnzkjcbpbresziyrrjrsvjzwvxe"),
        (ActorKind::Market, "bafk2bzacecjrg6jueodndhwtkaa3n2v2tkjakmzu4c57hrhg5ige4d4kjggcg"),
        (ActorKind::Paych, "bafk2bzacecf3jaqzs757hmyxpthnj7vaxr2z6h5v6yubptvqasgabxiubeoim"),
        (ActorKind::Multisig, "bafk2bzacecquc4zxikmjfwsiyzx4tbxlsvauf53c7spf3hdz6jwmkczyqwbrg"),
        (ActorKind::Reward, "bafk2bzacedchalmz2omgitfunbqg5opzcvrlvju77k6dr5zt2poyy7jjzkvwa"),
        (ActorKind::Verifreg, "bafk2bzaceccqnqgyehy72nkmujvpyibikslvpyxfhpqivzjmbkmdbme5xzm2u"),
        (ActorKind::Datacap, "bafk2bzaceamho7atkl2a7c3m3t24v6tf3wzceaewp3ph6rjmwza3xdy3gmqb6"),
        (ActorKind::Placeholder, "bafk2bzacedfvut2myeleyq67fljcrw4kkmn5pb5dpyozovj7jpoez5irnc3ro"),
        (ActorKind::Evm, "bafk2bzacec273j42hyrcaeqms6xuuezkozjhptmyniwtr7y4jzjdoflccn2is"),
        (ActorKind::Eam, "bafk2bzaceaxpy4ilqlibpgytnt5ucmju2ooi3bqwca6dngwy6hlzmshyjpafw"),
        (ActorKind::EthAccount, "bafk2bzacedsbwrrjywdmxeluuzwfhmam2jmrm6ivj72ggw6qaijcx7ilw5fvk"),
    ],
};

const V16: Bundle = Bundle {
    network_version: 26,
    manifest: "bafy2bzaceclp3wfrwdjgh6c3gee5smwj3zmmrhb4fdbc4yfchfaia6rlljx5o",
    codes: &[
        (ActorKind::System, "bafk2bzaceapx3vuukaqkj76ck4k6b46ktle452ek2nxeoy5qrtaxdktchrb6k"),
        (ActorKind::Init, "bafk2bzaceanl3arbn3vbx7qoxjbxbygm3g5rgibypt4ukxia3lhwniqumwmfm"),
        (ActorKind::Cron, "bafk2bzacedzo57rpw6debpc7aaenevimqdw44o47l5kjk27xd6qynjx7spyls"),
        (ActorKind::Account, "bafk2bzacebl27l7f5dt35gfeukr7kzkenhwisdy53r3gmbagbzzfejfa3ci6a"),
        (ActorKind::Power, "bafk2bzaceattnfxccxgeickyhei4txzi2qj6jaks5h7im4uaqmaoxk2jthlri"),
        (ActorKind::Miner, "bafk2bzacebmdlcmrseltgqqcw36q4njwp5cjw24kqf5q5cohonhbbrhv3hxbk"),
        (ActorKind::Market, "bafk2bzaced2fw4smkqrhoshiskvvmdak2vzmkgxijanp24xqumkhyhwioz6bc"),
        (ActorKind::Paych, "bafk2bzacedetue6b2ekilnzam7derkslpuhmy45bhsrcj36tuwpuoyi56i734"),
        (ActorKind::Multisig, "bafk2bzacedym2qai72hu53yggfx5czuu7cluu3ft4gyparnw7l624on2uoqqo"),
        (ActorKind::Reward, "bafk2bzacebrtvcnof275odfobuw6k5chzl23p4mac75bg3amnempzauj57i6a"),
        (ActorKind::Verifreg, "bafk2bzaceat7zehx2y5joxtufcwbx4ium47fw4mrubdlquzpla4esqfzimkas"),
        (ActorKind::Datacap, "bafk2bzaceddnadztnvgblxukwhwygtynyiee26itbpkncoolxpspvryspvii4"),
        (ActorKind::Placeholder, "bafk2bzacedfvut2myeleyq67fljcrw4kkmn5pb5dpyozovj7jpoez5irnc3ro"),
        (ActorKind::Evm, "bafk2bzacecnukm3qvrefmtrxvazdvghclk67o47p4o42fnpzv4l6cm3etfjqc"),
        (ActorKind::Eam, "bafk2bzacecogdrpspcsorwamsrmtpmofocc5si7bcavo4jhtbcgpxq6rl5s5q"),
        (ActorKind::EthAccount, "bafk2bzacebxukyx7vernilg3fcz2h4ale43zj2gijpsa5lon2bcqtme32mss6"),
    ],
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn manifests_commit_to_the_codes() {
        for bundle in BUNDLES {
            let data = manifest_data(bundle.network_version).unwrap();
            let mut w = Writer::new();
            w.array(2);
            w.uint(1);
            data.encode(&mut w);
            assert_eq!(blake2b_cid(w.as_slice()).to_string(), bundle.manifest);
            assert_eq!(codes(bundle.network_version).unwrap().len(), ActorKind::ALL.len());
        }
        assert_eq!(kind_of(&code(ActorKind::Miner)), Some(ActorKind::Miner));
        assert!(codes(1).is_none());
    }
}
