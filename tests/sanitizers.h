#pragma once
// Which sanitizer is in this program, by g++ or clang: they keep memory of their own.

namespace facemae::test {

#if defined(__has_feature)
#define FACEMAE_HAS_FEATURE(name) __has_feature(name)
#else
#define FACEMAE_HAS_FEATURE(name) 0
#endif

#if defined(__SANITIZE_ADDRESS__) || FACEMAE_HAS_FEATURE(address_sanitizer) || \
    defined(FACEMAE_TESTS_ADDRESS_SANITIZED_CODE)
inline constexpr bool kAddressSanitizer = true;
#else
inline constexpr bool kAddressSanitizer = false;
#endif

#if defined(__SANITIZE_THREAD__) || FACEMAE_HAS_FEATURE(thread_sanitizer)
inline constexpr bool kThreadSanitizer = true;
#else
inline constexpr bool kThreadSanitizer = false;
#endif

#undef FACEMAE_HAS_FEATURE

}  // namespace facemae::test
