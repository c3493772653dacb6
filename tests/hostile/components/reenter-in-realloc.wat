;; Calls the next store while the host is handing it the caller's key.
(func $realloc (param i32 i32 i32 i32) (result i32)
  (if (i32.eq (local.get 3) (i32.const 6)) (then (call $next-head (i32.const 0) (i32.const 1024))))
  (call $bump (local.get 0) (local.get 1) (local.get 2) (local.get 3)))
