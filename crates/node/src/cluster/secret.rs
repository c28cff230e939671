//! What the nodes of a fleet know each other by: random bytes that the first of them leaves in the backbone. Who can read
//! the backbone is trusted anyway, so this needs no configuration.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::HeaderValue;
use throng_backbone::{DocumentError, DocumentKey, Documents, Expect, StoreError, Terms};

use crate::ids;

const BYTES: usize = 32;

/// Reads the secret, or makes it.
pub(crate) async fn read(documents: &Documents) -> Result<HeaderValue, StoreError> {
    let key = DocumentKey::new("", "fleet-secret");
    let fresh = URL_SAFE_NO_PAD.encode(ids::random::<BYTES>());
    let terms = Terms { expect: Expect::Absent, ttl: None };
    loop {
        match documents.put(&key, fresh.clone().into(), terms).await {
            Ok(_) | Err(DocumentError::Conflict(_)) => {}
            Err(DocumentError::Store(error)) => return Err(error),
        }
        if let Some(found) = documents.get(&key).await? {
            let mut secret = HeaderValue::from_maybe_shared(found.value)
                .map_err(|_| StoreError::Unreadable("the secret of the fleet"))?;
            secret.set_sensitive(true);
            return Ok(secret);
        }
    }
}
