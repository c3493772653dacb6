use wasmtime::{
    Error, Result, Store,
    component::{
        ComponentExportIndex, ComponentNamedList, Instance, InstancePre, Lift, Lower, Resource,
        TypedFunc,
    },
};

use crate::{
    bindings::{
        agent::artifacts::types::{
            DeleteOptions, Error as Told, GetOptions, ListOptions, Listing, ObjectInfo, PutOptions,
        },
        exports::agent::artifacts::store::Object,
    },
    handles::{HostBody, HostReceipt},
    instance::CallState,
};

/// What a store component and a policy export; a component may export other versions besides.
const STORE: &str = "agent:artifacts/store@0.2.0";

/// A component whose imports are linked, and where its five functions are.
#[derive(Clone)]
pub(crate) struct GuestPre {
    pre: InstancePre<CallState>,
    functions: [ComponentExportIndex; 5],
}

impl GuestPre {
    pub(crate) fn new(pre: InstancePre<CallState>) -> Result<Self> {
        let component = pre.component();
        let exported = component.get_export_index(None, STORE);
        let store = exported.ok_or_else(|| Error::msg(format!("it does not export `{STORE}`")))?;
        let at = |name: &str| {
            let function = component.get_export_index(Some(&store), name);
            function.ok_or_else(|| Error::msg(format!("`{STORE}` has no function `{name}`")))
        };
        let functions = [at("put")?, at("get")?, at("head")?, at("delete")?, at("list")?];
        Ok(Self { pre, functions })
    }

    pub(crate) async fn instantiate(&self, store: &mut Store<CallState>) -> Result<Guest> {
        let instance = self.pre.instantiate_async(store).await?;
        let [put, get, head, delete, list] = self.functions;
        Ok(Guest {
            instance,
            put: Function::at(put),
            get: Function::at(get),
            head: Function::at(head),
            delete: Function::at(delete),
            list: Function::at(list),
        })
    }
}

/// The five functions of one instance.
///
/// As `bindgen` makes them, but that the type of each is checked when it is first called: to
/// check all five took a tenth of what a fresh call costs. And options come in boxes, as a
/// call's parameters are moved some ten times on their way into the component.
pub(crate) struct Guest {
    instance: Instance,
    put: Function<(String, Resource<HostBody>, Box<PutOptions>), Resource<HostReceipt>>,
    get: Function<(String, Box<GetOptions>), Object>,
    head: Function<(String, Box<GetOptions>), ObjectInfo>,
    delete: Function<(String, Box<DeleteOptions>), ()>,
    list: Function<(Box<ListOptions>,), Listing>,
}

/// What a function gives: the outer error is a trap.
type Answer<T> = Result<std::result::Result<T, Told>>;

type Returned<T> = (std::result::Result<T, Told>,);

struct Function<P, T> {
    at: ComponentExportIndex,
    typed: Option<TypedFunc<P, Returned<T>>>,
}

impl<P, T> Function<P, T>
where
    P: ComponentNamedList + Lower + Send + Sync,
    T: Lift + Send + Sync + 'static,
{
    fn at(at: ComponentExportIndex) -> Self {
        Self { at, typed: None }
    }

    fn typed(
        &mut self,
        store: &mut Store<CallState>,
        instance: Instance,
    ) -> Result<TypedFunc<P, Returned<T>>> {
        match self.typed {
            Some(typed) => Ok(typed),
            None => Ok(*self.typed.insert(instance.get_typed_func(store, self.at)?)),
        }
    }

    async fn call(
        &mut self,
        store: &mut Store<CallState>,
        instance: Instance,
        parameters: P,
    ) -> Answer<T> {
        let function = self.typed(store, instance)?;
        let (answer,) = function.call_async(store, parameters).await?;
        Ok(answer)
    }
}

impl Guest {
    /// Checks the types of all five.
    pub(crate) fn check(&mut self, store: &mut Store<CallState>) -> Result<()> {
        self.put.typed(store, self.instance)?;
        self.get.typed(store, self.instance)?;
        self.head.typed(store, self.instance)?;
        self.delete.typed(store, self.instance)?;
        self.list.typed(store, self.instance)?;
        Ok(())
    }

    pub(crate) fn put(
        &mut self,
        store: &mut Store<CallState>,
        key: &str,
        body: Resource<HostBody>,
        options: Box<PutOptions>,
    ) -> impl Future<Output = Answer<Resource<HostReceipt>>> {
        self.put.call(store, self.instance, (key.to_owned(), body, options))
    }

    pub(crate) fn get(
        &mut self,
        store: &mut Store<CallState>,
        key: &str,
        options: Box<GetOptions>,
    ) -> impl Future<Output = Answer<Object>> {
        self.get.call(store, self.instance, (key.to_owned(), options))
    }

    pub(crate) fn head(
        &mut self,
        store: &mut Store<CallState>,
        key: &str,
        options: Box<GetOptions>,
    ) -> impl Future<Output = Answer<ObjectInfo>> {
        self.head.call(store, self.instance, (key.to_owned(), options))
    }

    pub(crate) fn delete(
        &mut self,
        store: &mut Store<CallState>,
        key: &str,
        options: Box<DeleteOptions>,
    ) -> impl Future<Output = Answer<()>> {
        self.delete.call(store, self.instance, (key.to_owned(), options))
    }

    pub(crate) fn list(
        &mut self,
        store: &mut Store<CallState>,
        options: Box<ListOptions>,
    ) -> impl Future<Output = Answer<Listing>> {
        self.list.call(store, self.instance, (options,))
    }
}
