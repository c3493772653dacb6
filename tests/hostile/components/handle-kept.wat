;; Reads its own artifact and keeps the handle for ever: it loops.
(func $get (param $args i32) (result i32)
  (drop (call $pass-get (local.get $args)))
  (if (i32.eq (i32.load offset=4 (local.get $args)) (i32.const 6)) (then (loop (br 0))))
  (i32.const 1024))
