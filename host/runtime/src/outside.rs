use std::{
    future::{Future, poll_fn},
    pin::pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::Poll,
};

use futures::future::BoxFuture;

/// Where a component's call leaves what it waits for, so that this is done away from the
/// component's own stack.
///
/// Each call in flight has a component on a stack of its own. Whatever is done there, such
/// as to send a request, touches more of that stack, which is in no cache when many calls
/// take turns, and stays in memory as long as the instance does. The stack of who drives the
/// call is one for all of them.
#[derive(Clone, Default)]
pub(crate) struct Outside(Arc<Mutex<Option<BoxFuture<'static, ()>>>>);

impl Outside {
    /// Leaves work to who drives the component's call, and waits for what comes of it.
    pub(crate) fn run<T: Send + 'static>(
        &self,
        work: impl Future<Output = T> + Send + 'static,
    ) -> impl Future<Output = T> + Send + 'static {
        let done = Arc::new(Mutex::new(None));
        let doing = Arc::clone(&done);
        *lock(&self.0) = Some(Box::pin(async move {
            let output = work.await;
            *lock(&doing) = Some(output);
        }));
        // Nobody need be woken: the driver asks again when the work is done.
        poll_fn(move |_| lock(&done).take().map_or(Poll::Pending, Poll::Ready))
    }

    /// Drives a component's call, and the work that it leaves here.
    pub(crate) async fn drive<T>(&self, call: impl Future<Output = T>) -> T {
        let mut call = pin!(call);
        poll_fn(|context| {
            loop {
                let work = lock(&self.0).take();
                if let Some(mut work) = work
                    && work.as_mut().poll(context).is_pending()
                {
                    *lock(&self.0) = Some(work);
                    return Poll::Pending;
                }
                let polled = call.as_mut().poll(context);
                if polled.is_ready() || lock(&self.0).is_none() {
                    return polled;
                }
            }
        })
        .await
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
