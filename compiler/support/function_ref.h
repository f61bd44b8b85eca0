// A function that is passed down and called there.
#pragma once

#include <memory>
#include <type_traits>
#include <utility>

namespace netc {

template <class Signature> class FunctionRef;

/// Refers to what it was made from, as long as that lives: for parameters. Unlike std::function it copies nothing that a lambda
/// captures. `{}` is none.
template <class Result, class... Args> class FunctionRef<Result(Args...)> {
public:
  FunctionRef() = default;
  template <class F>
    requires(!std::is_same_v<std::remove_cvref_t<F>, FunctionRef> && std::is_invocable_r_v<Result, F &, Args...>)
  FunctionRef(F &&f)
      : object(const_cast<void *>(static_cast<const void *>(std::addressof(f)))), call([](void *o, Args... args) -> Result {
          auto &function = *static_cast<std::remove_reference_t<F> *>(o);
          if constexpr (std::is_void_v<Result>) function(std::forward<Args>(args)...);
          else return function(std::forward<Args>(args)...);
        }) {}

  Result operator()(Args... args) const { return call(object, std::forward<Args>(args)...); }
  explicit operator bool() const { return call; }

private:
  void *object = nullptr;
  Result (*call)(void *, Args...) = nullptr;
};

} // namespace netc
