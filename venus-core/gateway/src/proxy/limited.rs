//! Bodies that pass through, with a bound, a deadline and an end.

use std::io;
use std::time::Duration;

use bytes::Bytes;
use futures::{Stream, StreamExt};
use tokio::time::timeout;

use super::open::Listed;

/// `body`, which ends with an error after `most` bytes, or if it is silent for `idle`.
pub(super) fn request<E>(
    body: impl Stream<Item = Result<Bytes, E>> + Send + Unpin + 'static,
    most: u64,
    idle: Duration,
) -> impl Stream<Item = io::Result<Bytes>> + Send
where
    E: std::error::Error + Send + Sync + 'static,
{
    futures::stream::unfold((body, most), move |(mut body, left)| async move {
        let piece = match timeout(idle, body.next()).await {
            Err(_) => Err(io::Error::from(io::ErrorKind::TimedOut)),
            Ok(None) => return None,
            Ok(Some(Err(error))) => Err(io::Error::other(error)),
            Ok(Some(Ok(piece))) => Ok(piece),
        };
        match piece.and_then(|piece| Ok((left.checked_sub(piece.len() as u64).ok_or_else(too_large)?, piece)))
        {
            Ok((left, piece)) => Some((Ok(piece), (body, left))),
            // Nothing follows an error.
            Err(error) => Some((Err(error), (body, 0))),
        }
    })
}

/// Told apart from what else goes wrong with a body.
fn too_large() -> io::Error {
    io::Error::from(io::ErrorKind::FileTooLarge)
}

/// Whether an error, somewhere in its causes, is a body over its bound.
pub(super) fn is_too_large(error: &(dyn std::error::Error + 'static)) -> bool {
    let mut cause = Some(error);
    while let Some(error) = cause {
        let io = error.downcast_ref::<io::Error>();
        if io.is_some_and(|io| io.kind() == io::ErrorKind::FileTooLarge) {
            return true;
        }
        // An error of the system hides what it was made of.
        cause = match io.and_then(io::Error::get_ref) {
            Some(inner) => Some(inner),
            None => error.source(),
        };
    }
    false
}

/// An answer's body, which is under way until its end, is cut when it has to end, and may not be silent for `idle`.
pub(super) fn answer<E>(
    body: impl Stream<Item = Result<Bytes, E>> + Send + Unpin + 'static,
    listed: Listed,
    idle: Duration,
) -> impl Stream<Item = io::Result<Bytes>> + Send
where
    E: std::error::Error + Send + Sync + 'static,
{
    futures::stream::unfold(Some((body, listed)), move |state| async move {
        let (mut body, listed) = state?;
        let piece = tokio::select! {
            biased;
            () = listed.ended.cancelled() => Err(io::Error::from(io::ErrorKind::ConnectionAborted)),
            piece = timeout(idle, body.next()) => match piece {
                Err(_) => Err(io::Error::from(io::ErrorKind::TimedOut)),
                Ok(None) => return None,
                Ok(Some(piece)) => piece.map_err(io::Error::other),
            },
        };
        let go_on = piece.is_ok();
        Some((piece, go_on.then_some((body, listed))))
    })
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use futures::stream;

    use super::*;

    const IDLE: Duration = Duration::from_secs(1);

    #[tokio::test(start_paused = true)]
    async fn bodies_have_a_bound_and_a_deadline() {
        let pieces = |sizes: &[usize]| {
            stream::iter(
                sizes.iter().map(|size| Ok::<_, Infallible>(Bytes::from(vec![0; *size]))).collect::<Vec<_>>(),
            )
        };
        let ended = |body: Vec<io::Result<Bytes>>| {
            body.last().unwrap().as_ref().map(Bytes::len).map_err(io::Error::kind)
        };
        let all: Vec<_> = Box::pin(request(pieces(&[4, 6]), 10, IDLE)).take(9).collect().await;
        assert_eq!(ended(all), Ok(6));
        let all: Vec<_> = Box::pin(request(pieces(&[4, 7]), 10, IDLE)).take(2).collect().await;
        assert!(is_too_large(all.last().unwrap().as_ref().unwrap_err()));
        let silent = stream::pending::<Result<Bytes, Infallible>>();
        let all: Vec<_> = Box::pin(request(silent, 10, IDLE)).take(1).collect().await;
        assert_eq!(ended(all), Err(io::ErrorKind::TimedOut));
        assert!(is_too_large(&io::Error::other(too_large())) && !is_too_large(&io::Error::other("x")));
    }
}
