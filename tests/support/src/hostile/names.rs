//! Names that lead elsewhere each time they are looked up.

use std::{
    io,
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
};

use anyhow::Result;
use async_trait::async_trait;
use postern::{
    app::App,
    effects::{
        Ports,
        http::{HttpClient, Names, SystemNames},
    },
    gate::GateShared,
};

/// The name that an attacker's own name server answers for.
const REBINDING: &str = "rebind.example";

/// Answers for [`REBINDING`] with one address after another, all of them inside
/// but the first, which it gives together with one inside.
struct Rebinding {
    asked: AtomicUsize,
}

#[async_trait]
impl Names for Rebinding {
    async fn addresses(&self, host: &str) -> io::Result<Vec<IpAddr>> {
        if host != REBINDING {
            return SystemNames.addresses(host).await;
        }
        let inside = IpAddr::V4(Ipv4Addr::LOCALHOST);
        let answers = [
            vec![IpAddr::V4(Ipv4Addr::new(9, 9, 9, 9)), inside],
            vec![inside],
            vec![IpAddr::V6(Ipv4Addr::LOCALHOST.to_ipv6_mapped())],
            vec![IpAddr::V6(Ipv6Addr::LOCALHOST)],
            vec![IpAddr::V4(Ipv4Addr::new(169, 254, 169, 254))],
            vec![IpAddr::V4(Ipv4Addr::UNSPECIFIED)],
        ];
        let turn = self.asked.fetch_add(1, Relaxed);
        Ok(answers[turn % answers.len()].clone())
    }
}

/// The gate of a host, with the attacker's names in its way to other servers.
pub(crate) fn rebinding(app: &App) -> Result<Arc<GateShared>> {
    let names = Arc::new(Rebinding { asked: AtomicUsize::new(0) });
    let config = &app.config;
    let http = HttpClient::with_names(config.endpoints.clone(), config.secrets.clone(), names)?;
    let shared = &app.gate;
    Ok(Arc::new(GateShared {
        policy: Arc::clone(&shared.policy),
        collections: Arc::clone(&shared.collections),
        ports: Arc::new(Ports {
            http,
            collections: Arc::clone(&shared.collections),
            queue: config.pipeline.queue.clone(),
        }),
        clock: Arc::clone(&shared.clock),
        metrics: Arc::clone(&shared.metrics),
        log_calls: false,
        concurrency: Arc::default(),
        revoked: Arc::clone(&shared.revoked),
    }))
}
